#include "plugin/model/attachment.h"

#include <algorithm>
#include <array>

#include "netlib/base/hash.h"

namespace pons {

namespace {

constexpr std::array kProtocols{std::pair{Protocol::Tcp, std::string_view{"tcp"}},
                                std::pair{Protocol::Udp, std::string_view{"udp"}},
                                std::pair{Protocol::Sctp, std::string_view{"sctp"}}};

constexpr std::array kIngressPolicies{std::pair{IngressPolicy::Open, std::string_view{"open"}},
                                      std::pair{IngressPolicy::SameBridge, std::string_view{"same-bridge"}},
                                      std::pair{IngressPolicy::Isolated, std::string_view{"isolated"}}};

constexpr std::array kOnDeny{std::pair{OnDeny::Reject, std::string_view{"reject"}},
                             std::pair{OnDeny::Drop, std::string_view{"drop"}}};

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

constexpr int kLongestIfName = 15;  // IFNAMSIZ less its terminator
constexpr int kChainDigits = 16;
constexpr std::string_view kVethLetters = "pons";
constexpr std::string_view kNetworkChain = "net_";

/// Whether hexDigits() could have made the text behind `letters`.
bool isHashedName(std::string_view text, std::string_view letters, std::size_t length) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  return text.size() == length && text.starts_with(letters) &&
         text.find_first_not_of(kDigits, letters.size()) == std::string_view::npos;
}

/// 16 hexadecimal digits: a hash of everything that determines the content of the chain.
std::string digestOf(const Attachment& attachment, const SourceNat& nat) {
  std::string text = attachment.key.network.toString() + " " + suffixOf(nat.family());
  for (const netlib::IpPrefix& subnet : nat.subnets) text += " subnet " + subnet.toString();
  for (const netlib::IpPrefix& destination : nat.destinations) text += " except " + destination.toString();
  if (nat.masquerade) text += " masquerade";
  return netlib::hexDigits(netlib::hashOf(text), kChainDigits);
}

/// `letters` and as many digits of the key's hash as fit.
netlib::IfName linkName(const std::string& letters, const AttachmentKey& key) {
  std::string text = key.network.toString();
  text.append(1, '\0').append(key.container.toString()).append(1, '\0').append(key.ifName.toString());
  return *netlib::IfName::parse(
      letters + netlib::hexDigits(netlib::hashOf(text), kLongestIfName - static_cast<int>(letters.size())));
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

std::string_view nameOf(OnDeny onDeny) { return nameIn(kOnDeny, onDeny); }

std::optional<OnDeny> parseOnDeny(std::string_view text) { return valueIn(kOnDeny, text); }

std::string_view nameOf(SpoofGuard guard) { return nameIn(kSpoofGuards, guard); }

std::optional<SpoofGuard> parseSpoofGuard(std::string_view text) { return valueIn(kSpoofGuards, text); }

Attachment bareAttachment(const AttachmentKey& key, const netlib::IfName& bridge) {
  Attachment attachment{{}, key, hostVethName(key)};
  attachment.bridge = {.name = bridge, .gateway = key.plugin == ChainedPlugin::None};
  return attachment;
}

std::string containerText(const Attachment& attachment) {
  const std::string& id = attachment.key.container.toString();
  return attachment.pod.empty() ? "container " + id : attachment.pod + " (container " + id.substr(0, kShortId) + ")";
}

std::string interfaceText(const AttachmentKey& key, const std::string& pod) {
  const std::string& id = key.container.toString();
  const std::string name = key.ifName.toString();
  return pod.empty() ? "container " + id + " (" + name + ")"
                     : pod + " (container " + id.substr(0, kShortId) + ", " + name + ")";
}

netlib::IfName hostVethName(const AttachmentKey& key) { return linkName(std::string{kVethLetters}, key); }

std::optional<netlib::IfName> parseHostVethName(std::string_view text) {
  return isHashedName(text, kVethLetters, kLongestIfName) ? netlib::IfName::parse(text) : std::nullopt;
}

// "r" for rate: not a hexadecimal digit, so that no veth has this name.
netlib::IfName ifbName(const AttachmentKey& key) { return linkName("ponsr", key); }

std::string chainOf(const Attachment& attachment, const SourceNat& nat) {
  return std::string{kNetworkChain} + digestOf(attachment, nat);
}

bool isNetworkChain(std::string_view chain) {
  return isHashedName(chain, kNetworkChain, kNetworkChain.size() + kChainDigits);
}

netlib::IfName routedLink(const Attachment& attachment) {
  const auto vlan = gatewayVlan(attachment);
  const auto link = vlan ? gatewayLinkName(attachment.bridge.name, *vlan) : std::nullopt;
  return link.value_or(attachment.bridge.name);
}

std::optional<netlib::VlanId> gatewayVlan(const AttachmentSettings& settings) {
  return settings.vlans && settings.bridge.gateway ? settings.vlans->untagged : std::nullopt;
}

std::optional<netlib::IfName> gatewayLinkName(const netlib::IfName& bridge, netlib::VlanId vlan) {
  return netlib::IfName::parse(bridge.toString() + "." + std::to_string(vlan));
}

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

bool hasBridgePolicy(const AttachmentSettings& settings) {
  return settings.ingress != IngressPolicy::Open || settings.internal || settings.publishedOnly;
}

bool needsTable(const Attachment& attachment, netlib::Family family) {
  // In both families: root inside the container can add addresses of a family that the network does not use.
  if (hasBridgePolicy(attachment)) return true;
  return (attachment.egress && hasLease(attachment, family)) ||
         std::ranges::any_of(attachment.sourceNats, [family](const SourceNat& n) { return n.family() == family; }) ||
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

}  // namespace pons
