#include "plugin/verbs/forwards.h"

#include <algorithm>

#include "plugin/telemetry/log.h"

namespace pons {

using netlib::Family;
using netlib::IpAddress;

std::vector<PortForward> forwardsFor(const std::vector<cni::PortMapping>& mappings,
                                     const std::vector<netlib::IpPrefix>& addresses) {
  std::vector<PortForward> forwards;
  for (const cni::PortMapping& mapping : mappings) {
    const std::size_t before = forwards.size();
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const auto address = std::ranges::find(addresses, family, &netlib::IpPrefix::family);
      const IpAddress host = mapping.hostAddress.value_or(IpAddress::unspecified(family));
      if (address == addresses.end() || host.family() != family) continue;
      forwards.push_back({mapping.protocol, host, mapping.hostPort, address->address(), mapping.containerPort});
    }
    // Runtimes send one mapping per family even to containers with addresses of one family.
    if (forwards.size() == before) {
      log::info("port " + std::to_string(mapping.hostPort) +
                " is not published: the container has no address of its family");
    }
  }
  return forwards;
}

}  // namespace pons
