#include "plugin/model/attachment.h"

#include <algorithm>
#include <array>

#include "netlib/base/escape.h"
#include "netlib/base/hash.h"

namespace pons {

namespace {

constexpr std::array kFamilies{netlib::Family::Ipv4, netlib::Family::Ipv6};

constexpr std::array kProtocols{std::pair{Protocol::Tcp, std::string_view{"tcp"}},
                                std::pair{Protocol::Udp, std::string_view{"udp"}},
                                std::pair{Protocol::Sctp, std::string_view{"sctp"}}};

constexpr std::array kIngressPolicies{std::pair{IngressPolicy::Open, std::string_view{"open"}},
                                      std::pair{IngressPolicy::SameBridge, std::string_view{"same-bridge"}},
                                      std::pair{IngressPolicy::Isolated, std::string_view{"isolated"}}};

constexpr std::array kSpoofGuards{std::pair{SpoofGuard::None, std::string_view{"none"}},
                                  std::pair{SpoofGuard::Mac, std::string_view{"mac"}},
                                  std::pair{SpoofGuard::Address, std::string_view{"address"}}};

template <class Value, std::size_t size>
std::string_view nameIn(const std::array<std::pair<Value, std::string_view>, size>& table, Value value) {
  return std::ranges::find(table, value, &std::pair<Value, std::string_view>::first)->second;
}

template <class Value, std::size_t size>
std::optional<Value> valueIn(const std::array<std::pair<Value, std::string_view>, size>& table, std::string_view name) {
  const auto known = std::ranges::find(table, name, &std::pair<Value, std::string_view>::second);
  return known == table.end() ? std::nullopt : std::optional{known->first};
}

bool hasLease(const Attachment& attachment, netlib::Family family) {
  return std::ranges::any_of(attachment.leases, [family](const Lease& l) { return l.address.family() == family; });
}

/// The address that the kernel assigns by itself (RFC 4291, appendix A).
netlib::IpAddress linkLocalOf(const netlib::MacAddress& mac) {
  const auto& m = mac.bytes();
  const std::array<std::uint8_t, 16> bytes{
      0xfe, 0x80, 0, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(m[0] ^ 2), m[1], m[2], 0xff, 0xfe, m[3], m[4], m[5]};
  return *netlib::IpAddress::fromBytes(bytes);
}

/// "ipv4" or "ipv6"
std::string suffixOf(netlib::Family family) { return family == netlib::Family::Ipv4 ? "ipv4" : "ipv6"; }

/// 16 hexadecimal digits: a hash of everything that determines the content of the chain.
std::string digestOf(const Attachment& attachment, const SourceNat& nat) {
  std::string text = attachment.key.network.toString() + " " + suffixOf(nat.family);
  for (const netlib::IpPrefix& subnet : nat.subnets) text += " subnet " + subnet.toString();
  for (const netlib::IpPrefix& destination : nat.destinations) text += " except " + destination.toString();
  if (nat.masquerade) text += " masquerade";
  return netlib::hexDigits(netlib::hashOf(text), 16);
}

/// `letters` and as many digits of the key's hash as fit into IFNAMSIZ - 1 = 15 bytes.
netlib::IfName linkName(const std::string& letters, const AttachmentKey& key) {
  std::string text = key.network.toString();
  text.append(1, '\0').append(key.container.toString()).append(1, '\0').append(key.ifName.toString());
  return *netlib::IfName::parse(letters +
                                netlib::hexDigits(netlib::hashOf(text), 15 - static_cast<int>(letters.size())));
}

}  // namespace

std::string_view nameOf(Protocol protocol) {
  const auto known = std::ranges::find(kProtocols, protocol, &std::pair<Protocol, std::string_view>::first);
  return known == kProtocols.end() ? std::string_view{} : known->second;
}

std::optional<Protocol> parseProtocol(std::string_view text) {
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return valueIn(kProtocols, lower);
}

std::string_view nameOf(IngressPolicy policy) { return nameIn(kIngressPolicies, policy); }

std::optional<IngressPolicy> parseIngressPolicy(std::string_view text) { return valueIn(kIngressPolicies, text); }

std::string_view nameOf(SpoofGuard guard) { return nameIn(kSpoofGuards, guard); }

std::optional<SpoofGuard> parseSpoofGuard(std::string_view text) { return valueIn(kSpoofGuards, text); }

Attachment bareAttachment(const AttachmentKey& key, const netlib::IfName& bridge) {
  constexpr netlib::MacAddress kNoMac{netlib::MacAddress::Bytes{}};
  return {.key = key,
          .netnsPath = {},
          .netns = {},
          .bridge = {.name = bridge, .gateway = key.plugin == ChainedPlugin::None},
          .hostVeth = hostVethName(key),
          .hostMac = kNoMac,
          .containerMac = kNoMac,
          .leases = {},
          .routes = {},
          .sourceNats = {},
          .forwards = {}};
}

netlib::IfName hostVethName(const AttachmentKey& key) { return linkName("pons", key); }

// "r" for rate: not a hexadecimal digit, so that no veth has this name.
netlib::IfName ifbName(const AttachmentKey& key) { return linkName("ponsr", key); }

std::string aliasOf(const AttachmentKey& key) {
  constexpr std::size_t kMaxAlias = 254;  // with the terminating zero less than IFALIASZ (256), see dev_set_alias()
  return (std::string{kAliasPrefix} + key.toString()).substr(0, kMaxAlias);
}

std::string chainOf(const Attachment& attachment, const SourceNat& nat) { return "net_" + digestOf(attachment, nat); }

namespace shared_state {

namespace {
constexpr std::string_view kResolvConf = "resolvconf-";
}  // namespace

std::string bridge(const Attachment& attachment) { return "bridge-" + attachment.bridge.name.toString(); }

std::string gateway(const Attachment& attachment, const netlib::IpPrefix& address) {
  return "gateway-" + attachment.bridge.name.toString() + "-" + address.address().toString();
}

std::string ipForwarding(netlib::Family family) { return "forwarding-" + suffixOf(family); }

std::string tables() { return "tables"; }

std::string sourceNat(const Attachment& attachment, const SourceNat& nat) {
  return sourceNat(attachment.key.network, chainOf(attachment, nat));
}

std::string sourceNat(const NetworkName& network, const std::string& chain) {
  return "masquerade-" + network.toString() + "-" + chain.substr(chain.find('_') + 1);
}

std::string subnet(const netlib::IpPrefix& subnet) {
  return std::string{kSubnetPrefix} + subnet.first().toString() + "-" + std::to_string(subnet.length());
}

std::optional<netlib::IpPrefix> subnetOf(std::string_view name) {
  if (!name.starts_with(kSubnetPrefix)) return std::nullopt;
  std::string text{name.substr(kSubnetPrefix.size())};
  if (const auto dash = text.rfind('-'); dash != std::string::npos) text[dash] = '/';
  return netlib::IpPrefix::parse(text);
}

// A hash: network name and container id together may exceed NAME_MAX.
std::string guardedContainer(const AttachmentKey& key) {
  return "guarded-" + netlib::hexDigits(netlib::hashOf(key.network.toString() + " " + key.container.toString()), 16);
}

std::string sharedPorts(const ContainerId& container) { return "ports-" + container.toString(); }

std::string routeLocalnet(const Attachment& attachment) { return "loopback-" + attachment.bridge.name.toString(); }

std::string forwardAccept(const Attachment& attachment) { return "forward-" + attachment.bridge.name.toString(); }

std::string ingress(const Attachment& attachment) { return "ingress-" + attachment.bridge.name.toString(); }

std::string internal(const Attachment& attachment) { return "internal-" + attachment.bridge.name.toString(); }

std::string brNetfilter(const Attachment& attachment) { return "filtered-" + attachment.bridge.name.toString(); }

std::string resolvConf(const std::string& root) {
  std::string name{kResolvConf};
  for (const char c : root) name += c == '/' ? "%2f" : netlib::escaped({&c, 1});
  return name;
}

std::optional<std::string> rootOf(std::string_view name) {
  return name.starts_with(kResolvConf) ? netlib::unescaped(name.substr(kResolvConf.size())) : std::nullopt;
}

}  // namespace shared_state

std::vector<netlib::IpPrefix> gatewayAddresses(const Attachment& attachment) {
  std::vector<netlib::IpPrefix> addresses;
  if (!attachment.bridge.gateway) return addresses;
  for (const Lease& lease : attachment.leases) {
    if (!lease.gateway) continue;
    const auto address = netlib::IpPrefix::of(*lease.gateway, lease.address.length());
    if (address && std::ranges::find(addresses, *address) == addresses.end()) addresses.push_back(*address);
  }
  return addresses;
}

bool needsTable(const Attachment& attachment, netlib::Family family) {
  // In both families: root inside the container can add addresses of a family that the network does not use.
  if (attachment.ingress != IngressPolicy::Open || attachment.internal) return true;
  return (attachment.egress && hasLease(attachment, family)) ||
         std::ranges::any_of(attachment.sourceNats, [family](const SourceNat& n) { return n.family == family; }) ||
         std::ranges::any_of(attachment.forwards,
                             [family](const PortForward& f) { return f.hostAddress.family() == family; });
}

std::vector<netlib::IpPrefix> sourceSubnets(const Attachment& attachment) {
  std::vector<netlib::IpPrefix> subnets;
  for (const SourceNat& nat : attachment.sourceNats) {
    for (const netlib::IpPrefix& subnet : nat.subnets) {
      const bool needed =
          std::ranges::any_of(attachment.forwards, [&](const PortForward& f) { return subnet.contains(f.target); }) ||
          nat.masquerade;
      if (needed && std::ranges::find(subnets, subnet) == subnets.end()) subnets.push_back(subnet);
    }
  }
  return subnets;
}

bool needsRouteLocalnet(const Attachment& attachment) {
  return attachment.loopbackPorts && std::ranges::any_of(attachment.forwards, [](const PortForward& f) {
           return f.hostAddress.isIpv4() && (f.hostAddress.isUnspecified() || f.hostAddress.isLoopback());
         });
}

std::vector<netlib::IpAddress> sourcesOf(const Attachment& attachment) {
  std::vector<netlib::IpAddress> sources;
  for (const Lease& lease : attachment.leases) sources.push_back(lease.address.address());
  // It reaches the neighbours on the bridge: with an egress policy it is allowed only if IPv6 is in use.
  if (!attachment.egress || hasLease(attachment, netlib::Family::Ipv6)) {
    sources.push_back(linkLocalOf(attachment.containerMac));
  }
  return sources;
}

std::vector<std::string> sharedStatesOf(const Attachment& attachment) {
  std::vector<std::string> states;
  if (attachment.key.plugin == ChainedPlugin::None) states.push_back(shared_state::bridge(attachment));
  for (const netlib::IpPrefix& address : gatewayAddresses(attachment)) {
    states.push_back(shared_state::gateway(attachment, address));
  }
  for (const netlib::Family family : kFamilies) {
    if (attachment.bridge.gateway && !attachment.internal && hasLease(attachment, family))
      states.push_back(shared_state::ipForwarding(family));
  }
  const bool hasTables = attachment.guard != SpoofGuard::None ||
                         std::ranges::any_of(kFamilies, [&](netlib::Family f) { return needsTable(attachment, f); });
  if (hasTables) states.push_back(shared_state::tables());
  if (needsRouteLocalnet(attachment)) states.push_back(shared_state::routeLocalnet(attachment));
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) states.push_back(shared_state::subnet(subnet));
  for (const SourceNat& nat : attachment.sourceNats) {
    if (nat.masquerade) states.push_back(shared_state::sourceNat(attachment, nat));
  }
  if (attachment.guard == SpoofGuard::Address) states.push_back(shared_state::guardedContainer(attachment.key));
  if (attachment.ingress != IngressPolicy::Open) states.push_back(shared_state::ingress(attachment));
  if (attachment.internal) states.push_back(shared_state::internal(attachment));
  if (attachment.egress) states.push_back(shared_state::brNetfilter(attachment));
  if (attachment.acceptForward) states.push_back(shared_state::forwardAccept(attachment));
  if (attachment.resolvConf) states.push_back(shared_state::resolvConf(attachment.resolvConf->root));
  return states;
}

}  // namespace pons
