#include "plugin/model/shared_state.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "netlib/base/escape.h"
#include "netlib/base/hash.h"

namespace pons {

namespace shared_state {

namespace {

constexpr std::string_view kResolvConf = "resolvconf-";
constexpr std::string_view kNoAdminChain = "-";

std::string onLink(std::string_view kind, const netlib::IfName& link) {
  return std::string{kind} + "-" + link.toString();
}

/// Also "." and ".." and kNoAdminChain become other names.
std::string asFileName(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool isSpecial = c == '/' || (name.empty() && (c == '.' || c == '-'));
    name += isSpecial ? "%" + netlib::hexDigits(static_cast<unsigned char>(c), 2) : netlib::escaped({&c, 1});
  }
  return name;
}

}  // namespace

std::string bridgeStem(const netlib::IfName& bridge) { return "bridge-" + bridge.toString(); }

std::string bridge(const Attachment& attachment) {
  return bridgeStem(attachment.bridge.name) + "/" + attachment.key.network.toString();
}

std::string gateway(const Attachment& attachment, const netlib::IpPrefix& address) {
  return onLink("gateway", routedLink(attachment)) + "-" + address.address().toString() + "/" +
         std::to_string(address.length());
}

std::string ipForwarding(netlib::Family family) {
  return family == netlib::Family::Ipv4 ? "forwarding-ipv4" : "forwarding-ipv6";
}

std::string tables(std::string_view family) { return "tables-" + std::string{family}; }

std::string vlanFiltering(const netlib::IfName& bridge) { return onLink("vlans", bridge); }

std::string vlanLink(const netlib::IfName& link) { return onLink("vlan", link); }

std::optional<netlib::VlanId> vlanOf(std::string_view name) {
  if (!name.starts_with("vlan-")) return std::nullopt;
  const std::string_view digits = name.substr(name.rfind('.') + 1);
  netlib::VlanId vlan = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), vlan);
  const bool isVlan = read.ptr == digits.data() + digits.size() && vlan >= 1 && vlan <= netlib::kMaxVlanId;
  return isVlan ? std::optional{vlan} : std::nullopt;
}

std::string promiscuous(const Attachment& attachment) { return onLink("promiscuous", attachment.bridge.name); }

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

std::string sharedPorts(const ContainerId& container) { return std::string{kSharedPortsPrefix} + container.toString(); }

std::string routeLocalnet(const Attachment& attachment) { return onLink("loopback", routedLink(attachment)); }

std::vector<netlib::IfName> forwardedLinks(const Attachment& attachment) {
  std::vector<netlib::IfName> links{attachment.bridge.name};
  if (gatewayVlan(attachment)) links.push_back(routedLink(attachment));
  return links;
}

std::string forwardAccept(const Attachment& attachment, const netlib::IfName& link) {
  const auto& chain = attachment.adminChain;
  return onLink("forward", link) + "/" + (chain && !chain->empty() ? asFileName(*chain) : std::string{kNoAdminChain});
}

std::optional<std::string> adminChainIn(std::string_view value) {
  return value == kNoAdminChain ? std::nullopt : netlib::unescaped(value);
}

std::string ingress(const Attachment& attachment) {
  return onLink("ingress", routedLink(attachment)) + "/" + std::string{nameOf(attachment.ingress)};
}

std::string internal(const Attachment& attachment) { return onLink("internal", routedLink(attachment)); }

std::string publishedOnly(const Attachment& attachment) { return onLink("published", routedLink(attachment)); }

std::string silent(const Attachment& attachment) { return onLink("silent", routedLink(attachment)); }

std::string rejecting(const Attachment& attachment) { return onLink("rejecting", routedLink(attachment)); }

std::string brNetfilter(const Attachment& attachment) { return onLink("filtered", attachment.bridge.name); }

bool needsBrNetfilterOfVlans(const Attachment& attachment) {
  return attachment.egress && attachment.vlans && !attachment.vlans->trunk.empty();
}

std::string resolvConf(const std::string& root) { return std::string{kResolvConf} + asFileName(root); }

std::optional<std::string> rootOf(std::string_view name) {
  return name.starts_with(kResolvConf) ? netlib::unescaped(name.substr(kResolvConf.size())) : std::nullopt;
}

bool hasValues(std::string_view name) {
  constexpr std::array kKinds{"bridge-", "gateway-", "ingress-", "forward-"};
  return std::ranges::any_of(kKinds, [name](const char* kind) { return name.starts_with(kind); });
}

bool isOfOneContainer(std::string_view name) {
  constexpr std::array kKinds{"guarded-", "resolvconf-", "ports-"};
  return std::ranges::any_of(kKinds, [name](const char* kind) { return name.starts_with(kind); });
}

std::string stem(std::string_view state) { return std::string{state.substr(0, state.find('/'))}; }

std::string_view valueIn(std::string_view state) {
  const auto slash = state.find('/');
  return slash == std::string_view::npos ? std::string_view{} : state.substr(slash + 1);
}

}  // namespace shared_state

namespace {

using netlib::Family;

void appendForwarding(std::vector<std::string>& states, const Attachment& attachment) {
  if (!attachment.bridge.gateway || attachment.internal) return;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto isOfFamily = [family](const Lease& lease) { return lease.address.family() == family; };
    if (std::ranges::any_of(attachment.leases, isOfFamily)) states.push_back(shared_state::ipForwarding(family));
  }
}

void appendTables(std::vector<std::string>& states, const Attachment& attachment) {
  for (const auto& [family, table] : {std::pair{Family::Ipv4, "ip"}, std::pair{Family::Ipv6, "ip6"}}) {
    if (needsTable(attachment, family)) states.push_back(shared_state::tables(table));
  }
  if (attachment.guard != SpoofGuard::None) states.push_back(shared_state::tables("bridge"));
}

}  // namespace

std::vector<std::string> sharedStatesOf(const Attachment& attachment) {
  std::vector<std::string> states;
  if (attachment.key.plugin == ChainedPlugin::None) states.push_back(shared_state::bridge(attachment));
  if (attachment.bridge.promiscuous) states.push_back(shared_state::promiscuous(attachment));
  if (attachment.vlans) states.push_back(shared_state::vlanFiltering(attachment.bridge.name));
  if (gatewayVlan(attachment)) states.push_back(shared_state::vlanLink(routedLink(attachment)));
  for (const netlib::IpPrefix& address : gatewayAddresses(attachment)) {
    states.push_back(shared_state::gateway(attachment, address));
  }
  appendForwarding(states, attachment);
  appendTables(states, attachment);
  if (attachment.egress) states.push_back(shared_state::brNetfilter(attachment));
  if (shared_state::needsBrNetfilterOfVlans(attachment)) states.emplace_back(shared_state::kTaggedFrames);
  if (attachment.internal) states.push_back(shared_state::internal(attachment));
  if (attachment.publishedOnly) states.push_back(shared_state::publishedOnly(attachment));
  if (hasBridgePolicy(attachment)) {
    const bool drops = attachment.onDeny == OnDeny::Drop;
    states.push_back(drops ? shared_state::silent(attachment) : shared_state::rejecting(attachment));
  }
  if (needsRouteLocalnet(attachment)) states.push_back(shared_state::routeLocalnet(attachment));
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) states.push_back(shared_state::subnet(subnet));
  for (const SourceNat& nat : attachment.sourceNats) {
    if (nat.masquerade) states.push_back(shared_state::sourceNat(attachment, nat));
  }
  if (attachment.guard == SpoofGuard::Address) states.push_back(shared_state::guardedContainer(attachment.key));
  if (attachment.ingress != IngressPolicy::Open) states.push_back(shared_state::ingress(attachment));
  if (attachment.acceptForward) {
    for (const auto& link : shared_state::forwardedLinks(attachment)) {
      states.push_back(shared_state::forwardAccept(attachment, link));
    }
  }
  if (attachment.resolvConf) states.push_back(shared_state::resolvConf(attachment.resolvConf->root));
  return states;
}

}  // namespace pons
