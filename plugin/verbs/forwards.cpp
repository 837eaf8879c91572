#include "plugin/verbs/forwards.h"

#include <algorithm>

namespace pons {

using netlib::Family;
using netlib::IpAddress;

std::vector<PortForward> forwardsFor(const std::vector<cni::PortMapping>& mappings,
                                     const std::vector<netlib::IpPrefix>& addresses) {
  std::vector<PortForward> forwards;
  for (const cni::PortMapping& mapping : mappings) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const auto address = std::ranges::find(addresses, family, &netlib::IpPrefix::family);
      const IpAddress host = mapping.hostAddress.value_or(IpAddress::unspecified(family));
      if (address == addresses.end() || host.family() != family) continue;
      forwards.push_back(
          {mapping.protocol, host, mapping.hostPort, address->address(), mapping.containerPort, mapping.allowFrom});
    }
  }
  return forwards;
}

std::vector<std::string> unpublishedIn(const std::vector<cni::PortMapping>& mappings,
                                       const std::vector<PortForward>& forwards) {
  std::vector<std::string> notes;
  for (const cni::PortMapping& mapping : mappings) {
    const bool published = std::ranges::any_of(forwards, [&](const PortForward& forward) {
      return forward.protocol == mapping.protocol && forward.hostPort == mapping.hostPort &&
             forward.hostAddress == mapping.hostAddress.value_or(forward.hostAddress);
    });
    if (published) continue;
    notes.push_back("port " + std::to_string(mapping.hostPort) +
                    " is not published: the container has no address of its family");
  }
  return notes;
}

}  // namespace pons
