#include "plugin/cni/decode/port_mapping.h"

#include <algorithm>

#include "plugin/cni/decode/networks.h"

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
  PortMapping decoded{};
  decoded.protocol = TRY(mapping["protocol"].parsed(parseProtocol, "tcp, udp or sctp")).value_or(Protocol::Tcp);
  decoded.hostPort = TRY(decodePort(mapping["hostPort"]));
  decoded.containerPort = TRY(decodePort(mapping["containerPort"]));
  decoded.hostAddress = TRY(hostAddress.address());
  const Field allowFrom = mapping["allowFrom"];
  decoded.allowFrom = TRY(decodeNetworks(allowFrom));
  if (allowFrom.present() && decoded.allowFrom.empty()) return allowFrom.invalid("at least one address or CIDR");
  if (decoded.hostAddress && decoded.hostAddress->isLoopback() && !decoded.hostAddress->isIpv4()) {
    return hostAddress.invalid(
        "another address: the kernel has no route_localnet for IPv6, so packets from ::1 cannot leave the host");
  }
  if (decoded.hostAddress && (decoded.hostAddress->isMulticast() || decoded.hostAddress->isBroadcast())) {
    return hostAddress.invalid("a unicast address");
  }
  return decoded;
}

/// `a` matches every host address that `b` matches.
bool includes(const std::optional<netlib::IpAddress>& a, const std::optional<netlib::IpAddress>& b) {
  if (!a || a == b) return true;
  return b && a->isUnspecified() && a->family() == b->family();
}

bool sameHostPort(const PortMapping& a, const PortMapping& b) {
  return a.protocol == b.protocol && a.hostPort == b.hostPort;
}

/// `a` makes `b` redundant.
bool includes(const PortMapping& a, const PortMapping& b) {
  return sameHostPort(a, b) && a.containerPort == b.containerPort && includes(a.hostAddress, b.hostAddress);
}

bool conflict(const PortMapping& a, const PortMapping& b) {
  const bool isSame = a.containerPort == b.containerPort && a.allowFrom == b.allowFrom;
  return sameHostPort(a, b) && !isSame &&
         (includes(a.hostAddress, b.hostAddress) || includes(b.hostAddress, a.hostAddress));
}

Failure usedTwice(const Field& item, const PortMapping& mapping, const PortMapping& other) {
  const char* difference = mapping.containerPort == other.containerPort ? " with another \"allowFrom\"" : "";
  return withKey(item.path(),
                 fail(ErrorCode::InvalidConfig, "\"" + item.path() + "\": host port " + std::to_string(other.hostPort) +
                                                    "/" + std::string{nameOf(other.protocol)} +
                                                    " is used twice: already mapped to container port " +
                                                    std::to_string(other.containerPort) + difference));
}

Result<> appendMappings(std::vector<PortMapping>& mappings, const Field& list) {
  for (const Field& item : TRY(list.items())) {
    const PortMapping mapping = TRY(decodePortMapping(item));
    const auto other = std::ranges::find_if(mappings, [&](const auto& earlier) { return conflict(mapping, earlier); });
    if (other != mappings.end()) return usedTwice(item, mapping, *other);
    if (std::ranges::any_of(mappings, [&](const PortMapping& earlier) { return includes(earlier, mapping); })) continue;
    std::erase_if(mappings, [&](const PortMapping& earlier) { return includes(mapping, earlier); });
    mappings.push_back(mapping);
  }
  return {};
}

/// See decodePortMappings().
void allowAllBesideRestricted(std::vector<PortMapping>& mappings) {
  for (PortMapping& mapping : mappings) {
    const auto restricts = [&](const PortMapping& other) {
      return sameHostPort(mapping, other) && !other.allowFrom.empty();
    };
    if (!mapping.allowFrom.empty() || std::ranges::none_of(mappings, restricts)) continue;
    for (const auto family : {netlib::Family::Ipv4, netlib::Family::Ipv6}) {
      mapping.allowFrom.push_back(*netlib::IpPrefix::of(netlib::IpAddress::unspecified(family), 0));
    }
  }
}

}  // namespace

Result<std::vector<PortMapping>> decodePortMappings(const Field& config) {
  std::vector<PortMapping> mappings;
  TRY(appendMappings(mappings, config["portMappings"]));
  TRY(appendMappings(mappings, config["runtimeConfig"]["portMappings"]));
  allowAllBesideRestricted(mappings);
  return mappings;
}

}  // namespace pons::cni
