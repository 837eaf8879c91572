#include "plugin/cni/decode/config.h"

#include <algorithm>
#include <climits>

#include "plugin/cni/decode/chained_config.h"
#include "plugin/cni/decode/egress.h"
#include "plugin/cni/decode/ipam_config.h"
#include "plugin/cni/decode/keys.h"
#include "plugin/cni/decode/requested.h"
#include "plugin/cni/decode/vlan_trunk.h"
#include "plugin/model/shared_state.h"

namespace pons::cni {

namespace {

using netlib::Family;

constexpr std::uint32_t kMaxMtu = 65535;
constexpr std::uint32_t kMinMtuIpv4 = 68;  // RFC 791; ETH_MIN_MTU of the kernel

std::optional<Family> parseFamily(std::string_view text) {
  if (text == "ipv4") return Family::Ipv4;
  if (text == "ipv6") return Family::Ipv6;
  return std::nullopt;
}

/// Defaults of absent keys, and the handling of contradictory keys: the native plugin rejects them, the reference
/// bridge plugin lets one of the keys win.
struct Dialect {
  const char* bridge;
  bool isGateway;
  bool hairpin;
  bool strict;
  bool isWholeChain;  ///< also publishes ports, adds firewall accept rules and guards against spoofing
};
constexpr Dialect kNative{.bridge = "pons0", .isGateway = true, .hairpin = true, .strict = true, .isWholeChain = true};
constexpr Dialect kReferenceBridge{
    .bridge = "cni0", .isGateway = false, .hairpin = false, .strict = false, .isWholeChain = false};

Failure needsAddresses(const Field& field) { return field.invalid("false, because \"ipam\" gives no addresses"); }

Result<netlib::IfName> decodeBridgeName(const Field& root, const Dialect& dialect) {
  const auto bridge = TRY(root["bridge"].parsed(netlib::IfName::parse, netlib::IfName::kRule));
  return bridge.value_or(*netlib::IfName::parse(dialect.bridge));
}

Result<> decodeBridge(Config& config, const Field& root, const Dialect& dialect) {
  config.bridge.name = TRY(decodeBridgeName(root, dialect));
  config.bridge.promiscuous = TRY(root["promiscMode"].boolean()).value_or(false);
  // Either lets a container reach its own published ports; both together deliver its packets twice.
  const auto hairpin = TRY(root["hairpinMode"].boolean());
  config.hairpin = hairpin.value_or(dialect.hairpin && !config.bridge.promiscuous);
  if (config.hairpin && config.bridge.promiscuous)
    return root["hairpinMode"].invalid("false together with \"promiscMode\"");
  config.bridge.forceAddress = TRY(root["forceAddress"].boolean()).value_or(false);
  config.isolated = TRY(root["portIsolation"].boolean()).value_or(false);
  config.detectDuplicateAddresses = TRY(root["enabledad"].boolean()).value_or(false);
  return {};
}

Result<> decodeVlans(Config& config, const Field& root) {
  PortVlans vlans;
  const std::uint32_t vlan = TRY(root["vlan"].number(0, netlib::kMaxVlanId)).value_or(0);
  if (vlan != 0) vlans.untagged = vlan;
  vlans.trunk = TRY(decodeVlanTrunk(root["vlanTrunk"]));
  vlans.keepsDefault = TRY(root["preserveDefaultVlan"].boolean()).value_or(vlans.keepsDefault);
  if (vlans.untagged || !vlans.trunk.empty()) config.vlans = std::move(vlans);
  return {};
}

/// After decodeGateway().
Result<> checkGatewayLink(const Config& config, const Field& root) {
  const auto vlan = gatewayVlan(config);
  if (!vlan || gatewayLinkName(config.bridge.name, *vlan)) return {};
  // The default names are short.
  return root["bridge"].invalid(
      "a shorter name: with \".\" and \"vlan\" behind it, it is the name of the gateway's link");
}

Result<> decodeFirewall(Config& config, const Field& root) {
  const auto forward = TRY(root["forward"].text());
  config.acceptForward = forward.value_or("auto") == "auto";
  if (!config.acceptForward && *forward != "off") return root["forward"].invalid("auto or off");
  config.ingress =
      TRY(root["ingressPolicy"].parsed(parseIngressPolicy, "open, same-bridge or isolated")).value_or(config.ingress);
  config.isolated = config.isolated || config.ingress == IngressPolicy::Isolated;
  config.publishedOnly = TRY(root["publishedOnly"].boolean()).value_or(false);
  config.onDeny = TRY(root["onDeny"].parsed(parseOnDeny, kExpectedOnDeny)).value_or(config.onDeny);
  return {};
}

Result<> decodeGuard(Config& config, const Field& root, const IpamConfig& ipam, const Dialect& dialect) {
  const Field byMac = root["macspoofchk"];
  const bool mac = TRY(byMac.boolean()).value_or(dialect.isWholeChain);
  if (!dialect.isWholeChain) {
    if (mac) config.guard = SpoofGuard::Mac;
    return {};
  }
  const Field byAddress = root["ipSpoofCheck"];
  const auto address = TRY(byAddress.boolean());
  if (address.value_or(false) && !ipam.givesAddresses()) return needsAddresses(byAddress);
  if (address.value_or(false) && !mac) return byMac.invalid("true, which \"ipSpoofCheck\" implies");
  if (mac) config.guard = address.value_or(ipam.givesAddresses()) ? SpoofGuard::Address : SpoofGuard::Mac;
  config.egress = TRY(decodeEgress(root, config.dns));
  if (!config.egress || config.guard == SpoofGuard::Address) return {};
  return fail(ErrorCode::InvalidConfig,
              "\"egressPolicy\" requires addresses from \"ipam\", and \"macspoofchk\" and \"ipSpoofCheck\" to be true: "
              "it selects packets by source address");
}

/// An internal network has no route to other hosts: keys that require one are rejected.
Result<> decodeInternal(Config& config, const Field& root) {
  config.internal = TRY(root["internal"].boolean()).value_or(false);
  if (!config.internal) return {};
  for (const char* key : {"isDefaultGateway", "ipMasq"}) {
    if (TRY(root[key].boolean()).value_or(false)) return root[key].invalid("false in an internal network");
  }
  const bool hasDefault =
      std::ranges::any_of(config.routes, [](const Route& r) { return r.destination.length() == 0; });
  if (hasDefault) return root["internal"].invalid("false together with a default route in \"routes\"");
  if (!config.portMappings.empty()) {
    return fail(ErrorCode::InvalidConfig, "\"portMappings\" cannot be used in an internal network");
  }
  config.isDefaultGateway = false;
  config.masquerade.clear();
  return {};
}

DelegatedIpam delegatedTo(const std::string& type, const Environment& environment, std::string_view input) {
  return {.type = type, .config = std::string{input}, .args = environment.args};
}

Result<> decodeAddresses(Config& config, const Field& root, const IpamConfig& ipam, const CniArgs& args) {
  config.mac = TRY(decodeRequestedMac(root, args));
  config.addresses = ipam.addresses;
  config.routes = ipam.routes;

  const Field disable = root["disableContainerInterface"];
  config.containerInterfaceDown = TRY(disable.boolean()).value_or(false);
  if (config.containerInterfaceDown && ipam.givesAddresses()) {
    return disable.invalid("false, because \"ipam\" gives addresses, which an interface that is down cannot use");
  }
  return {};
}

Result<Mtu> decodeMtu(const Field& mtu, const IpamConfig& ipam) {
  if (mtu.is("auto")) return Mtu{.automatic = true};
  const std::uint32_t min = ipam.hasFamily(Family::Ipv6) ? kMinMtuIpv6 : kMinMtuIpv4;
  const auto expected = "\"auto\", 0 or a number from " + std::to_string(min) + " to " + std::to_string(kMaxMtu);
  const auto bytes = mtu.number(0, kMaxMtu);
  if (!bytes) return mtu.invalidUnquoted(expected);
  if (bytes->value_or(0) != 0 && **bytes < min) return mtu.invalid(expected);
  return Mtu{.bytes = bytes->value_or(0)};
}

/// The bridge can be the gateway only with an address in the same subnet.
Result<> checkGateways(const Field& ipam, const AddressRequest& addresses) {
  const auto check = [&ipam](const netlib::IpPrefix& subnet,
                             const std::optional<netlib::IpAddress>& gateway) -> Result<> {
    if (!gateway || subnet.contains(*gateway)) return {};
    return withKey(ipam.path(),
                   fail(ErrorCode::InvalidConfig, "\"ipam\": subnet " + subnet.network().toString() +
                                                      " does not contain its gateway " + gateway->toString() +
                                                      ", which \"isGateway\" assigns to the bridge"));
  };
  for (const RangeSet& set : addresses.sets) {
    for (const Range& range : set) TRY(check(range.subnet, range.gateway));
  }
  for (const Lease& lease : addresses.fixed) TRY(check(lease.address, lease.gateway));
  return {};
}

Result<> decodeGateway(Config& config, const Field& root, const IpamConfig& ipam, const Dialect& dialect) {
  const bool hasAddresses = ipam.givesAddresses();
  const auto isGateway = TRY(root["isGateway"].boolean());
  const auto isDefaultGateway = TRY(root["isDefaultGateway"].boolean());
  if (dialect.strict && isDefaultGateway.value_or(false)) {
    if (!hasAddresses) return needsAddresses(root["isDefaultGateway"]);
    if (!isGateway.value_or(true)) return root["isGateway"].invalid("true, which \"isDefaultGateway\" implies");
  }
  // isGateway alone may be true without addresses: the reference plugin accepts such files, and it has no effect.
  config.bridge.gateway = hasAddresses && (isGateway.value_or(dialect.isGateway) || isDefaultGateway.value_or(false));
  config.isDefaultGateway = hasAddresses && isDefaultGateway.value_or(dialect.isGateway && config.bridge.gateway);
  return config.bridge.gateway ? checkGateways(root["ipam"], config.addresses) : Result<>{};
}

Result<std::vector<Family>> decodeFamilies(const Field& list) {
  if (!list.present()) return std::vector{Family::Ipv4, Family::Ipv6};
  std::vector<Family> families;
  for (const Field& item : TRY(list.items())) {
    const auto family = TRY(item.parsed(parseFamily, "ipv4 or ipv6"));
    if (!family) return item.invalid("ipv4 or ipv6");
    if (std::ranges::find(families, *family) == families.end()) families.push_back(*family);
  }
  return families;
}

Result<> decodeMasquerade(Config& config, const Field& root, const IpamConfig& ipam, const Dialect& dialect) {
  const auto ipMasq = TRY(root["ipMasq"].boolean());
  if (dialect.strict && ipMasq.value_or(false) && !ipam.givesAddresses()) return needsAddresses(root["ipMasq"]);
  const bool wanted = ipMasq.value_or(dialect.isGateway && config.bridge.gateway);
  for (const Family family : TRY(decodeFamilies(root["ipMasqFamilies"]))) {
    const bool mayHave = ipam.delegatedType || ipam.hasFamily(family);
    if (wanted && mayHave) config.masquerade.push_back(family);
  }
  for (const Field& item : TRY(root["ipMasqExclude"].items())) {
    if (const auto network = TRY(item.network())) config.masqueradeExcluded.push_back(*network);
  }
  return {};
}

Result<> decodePorts(Config& config, const Field& root, const IpamConfig& ipam) {
  config.portMappings = TRY(decodePortMappings(root));
  if (config.portMappings.empty() || ipam.givesAddresses()) return {};
  return fail(ErrorCode::InvalidConfig, "\"portMappings\" require an address, and \"ipam\" gives none");
}

/// The directory is opened later, by the step that writes resolv.conf.
Result<std::optional<std::string>> decodeRootfs(const Field& rootfs) {
  const auto path = TRY(rootfs.parsed(parsePath, kExpectedPath));
  if (path && shared_state::resolvConf(*path).size() > NAME_MAX) {
    return rootfs.invalid("a shorter path: the ledger uses it as a file name");
  }
  return path;
}

struct DecodeContext {
  const Environment& environment;
  std::string_view input;
  const Dialect& dialect;
};

Result<> decodeNetwork(Config& config, const Field& root, Version version, const DecodeContext& context) {
  const auto& [environment, input, dialect] = context;
  const CniArgs args = TRY(parseCniArgs(environment.args));
  const IpamConfig ipam = TRY(decodeIpam(root, version, args));

  TRY(decodeBridge(config, root, dialect));
  TRY(decodeAddresses(config, root, ipam, args));
  if (ipam.delegatedType) config.delegated = delegatedTo(*ipam.delegatedType, environment, input);
  config.mtu = TRY(decodeMtu(root["mtu"], ipam));
  TRY(decodeVlans(config, root));
  TRY(decodeGateway(config, root, ipam, dialect));
  TRY(checkGatewayLink(config, root));
  TRY(decodeMasquerade(config, root, ipam, dialect));
  if (dialect.isWholeChain) {
    TRY(decodePorts(config, root, ipam));
    TRY(decodeFirewall(config, root));
    TRY(decodeInternal(config, root));
    config.bandwidth = TRY(decodeBandwidth(root));
    config.rootfs = TRY(decodeRootfs(root["runtimeConfig"]["rootfs"]));
  }
  config.dns = TRY(chooseDns(root));
  return decodeGuard(config, root, ipam, dialect);
}

}  // namespace

Result<Config> decodeConfig(const Field& root, Version version, const Environment& environment,
                            std::string_view input) {
  TRY(refuseList(root));
  for (const Field& group : {root["runtimeConfig"], root["args"], root["args"]["cni"]}) TRY(group.object());
  Config config;
  config.settings = TRY(decodeSettings(root, environment, config.ignored));
  config.pod = decodePod(environment, config.ignored);
  TRY(refuseUnsupported(root, environment.applet));
  if (environment.applet == Applet::Pons) {
    TRY(decodeNetwork(config, root, version, {environment, input, kNative}));
  } else if (environment.applet == Applet::Bridge) {
    TRY(decodeNetwork(config, root, version, {environment, input, kReferenceBridge}));
  } else {
    TRY(decodeChained(config, root, environment));
  }
  return config;
}

Config decodeConfigOfDel(const Field& root, const Environment& environment, std::string_view input) {
  Config config;
  // DEL must not fail for ever because of a wrong configuration: what it undoes is in the ledger.
  if (const auto whole = refuseList(root); !whole) config.ignored.push_back(whole.error());
  const Dialect& dialect = environment.applet == Applet::Bridge ? kReferenceBridge : kNative;
  config.settings = decodeSettingsLeniently(root, environment, config.ignored);
  config.bridge.name =
      orDefault(decodeBridgeName(root, dialect), *netlib::IfName::parse(dialect.bridge), config.ignored);
  // With an "ipam" that cannot be parsed, no ADD has allocated addresses.
  const ExternalIpam external = orDefault(decodeExternalIpam(root), ExternalIpam{}, config.ignored);
  config.addresses.hostLocalDir = external.hostLocalDir;
  if (external.delegatedType) config.delegated = delegatedTo(*external.delegatedType, environment, input);
  return config;
}

}  // namespace pons::cni
