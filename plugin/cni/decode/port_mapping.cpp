#include "plugin/cni/decode/port_mapping.h"

#include <algorithm>

namespace pons::cni {

namespace {

Result<Port> decodePort(const Field& field) {
  const auto port = TRY(field.number(1, 65535));
  if (!port) return field.missing();
  return static_cast<Port>(*port);
}

Result<PortMapping> decodePortMapping(const Field& field) {
  const Field mapping = TRY(field.object());
  const Field hostAddress = mapping["hostIP"];
  PortMapping decoded{
      .protocol = TRY(mapping["protocol"].parsed(parseProtocol, "tcp, udp or sctp")).value_or(Protocol::Tcp),
      .hostPort = TRY(decodePort(mapping["hostPort"])),
      .containerPort = TRY(decodePort(mapping["containerPort"])),
      .hostAddress = TRY(hostAddress.address()),
  };
  if (decoded.hostAddress && decoded.hostAddress->isLoopback() && !decoded.hostAddress->isIpv4()) {
    return hostAddress.invalid(
        "another address: the kernel has no route_localnet for IPv6, so that nothing from ::1 leaves the host");
  }
  if (decoded.hostAddress && (decoded.hostAddress->isMulticast() || decoded.hostAddress->isBroadcast())) {
    return hostAddress.invalid("an address that one host can bear");
  }
  return decoded;
}

/// Every host address that `b` matches is one that `a` matches.
bool includes(const std::optional<netlib::IpAddress>& a, const std::optional<netlib::IpAddress>& b) {
  if (!a || a == b) return true;
  return b && a->isUnspecified() && a->family() == b->family();
}

bool sameHostPort(const PortMapping& a, const PortMapping& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort;
}

/// `a` makes `b` superfluous.
bool includes(const PortMapping& a, const PortMapping& b) {
  return sameHostPort(a, b) && a.containerPort == b.containerPort && includes(a.hostAddress, b.hostAddress);
}

bool contradict(const PortMapping& a, const PortMapping& b) {
  return sameHostPort(a, b) && a.containerPort != b.containerPort &&
         (includes(a.hostAddress, b.hostAddress) || includes(b.hostAddress, a.hostAddress));
}

Result<> appendMappings(std::vector<PortMapping>& mappings, const Field& list) {
  for (const Field& item : TRY(list.items())) {
    const PortMapping mapping = TRY(decodePortMapping(item));
    const auto rival = std::ranges::find_if(mappings, [&](const auto& other) { return contradict(mapping, other); });
    if (rival != mappings.end()) {
      return item.invalid("another host port, for this one leads to the container's port " +
                          std::to_string(rival->containerPort) + " already");
    }
    if (std::ranges::any_of(mappings, [&](const PortMapping& other) { return includes(other, mapping); })) continue;
    std::erase_if(mappings, [&](const PortMapping& other) { return includes(mapping, other); });
    mappings.push_back(mapping);
  }
  return {};
}

}  // namespace

Result<std::vector<PortMapping>> decodePortMappings(const Field& config) {
  std::vector<PortMapping> mappings;
  TRY(appendMappings(mappings, config["portMappings"]));
  TRY(appendMappings(mappings, config["runtimeConfig"]["portMappings"]));
  return mappings;
}

}  // namespace pons::cni
