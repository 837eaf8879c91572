#include "plugin/cni/decode/egress.h"

#include <algorithm>

#include "netlib/base/similar.h"
#include "netlib/base/text.h"

#include "plugin/cni/decode/keys.h"
#include "plugin/cni/decode/networks.h"

namespace pons::cni {

namespace {

/// The name of a key of the policy, for "did you mean"; may be empty.
std::string_view similarKey(std::string_view name) {
  constexpr std::string_view kPolicy = "egressPolicy.";
  std::vector<std::string_view> names;
  for (const KeySection& section : keySections()) {
    for (const Key& key : section.keys) {
      if (key.path.starts_with(kPolicy)) names.push_back(key.path.substr(kPolicy.size()));
    }
  }
  return netlib::similarTo(name, names);
}

/// A misspelt key would silently change the policy.
Result<> refuseUnknown(const Field& policy) {
  for (const auto& [name, field] : TRY(policy.members())) {
    const std::string path = "egressPolicy." + name;  // wherever the policy is
    const Key* key = findKey(Applet::Pons, path);
    const bool isKnown = key != nullptr && netlib::equalIgnoringCase(key->path, path);
    if (isKnown) continue;
    const std::string_view similar = similarKey(name);
    const std::string hint = similar.empty() ? "" : ": did you mean \"" + std::string{similar} + "\"?";
    return field.unsupported("not a key of an egress policy" + hint);
  }
  return {};
}

Result<std::vector<Port>> decodePorts(const Field& list) {
  std::vector<Port> ports;
  for (const Field& item : TRY(list.items())) {
    const auto port = TRY(item.number(1, 65535));
    if (!port) return item.invalid("a port from 1 to 65535");
    if (std::ranges::find(ports, *port) == ports.end()) ports.push_back(static_cast<Port>(*port));
  }
  return ports;
}

}  // namespace

Result<EgressPolicy> decodePolicy(const Field& policy, const std::vector<netlib::IpAddress>& nameservers) {
  TRY(policy.object());
  TRY(refuseUnknown(policy));
  EgressPolicy decoded;
  decoded.destinations = TRY(decodeNetworks(policy["allowedCidrs"]));
  decoded.tcpPorts = TRY(decodePorts(policy["allowedTcpPorts"]));
  decoded.udpPorts = TRY(decodePorts(policy["allowedUdpPorts"]));
  const bool hasKeys = !TRY(policy.members()).empty();
  if (TRY(policy["allowDns"].boolean()).value_or(hasKeys)) decoded.nameservers = nameservers;
  decoded.logDenied = TRY(policy["logDenied"].boolean()).value_or(true);
  return decoded;
}

Result<std::optional<EgressPolicy>> decodeEgress(const Field& config, const Dns& dns) {
  for (const Field& policy :
       {config["runtimeConfig"]["egressPolicy"], config["args"]["cni"]["egressPolicy"], config["egressPolicy"]}) {
    if (policy.present()) return TRY(decodePolicy(policy, dns.nameservers));
  }
  return std::optional<EgressPolicy>{};
}

}  // namespace pons::cni
