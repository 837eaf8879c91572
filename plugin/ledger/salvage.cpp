#include "plugin/ledger/salvage.h"

#include <charconv>

#include "plugin/ledger/claims.h"
#include "plugin/ledger/port_claims.h"

namespace pons {

using netlib::Directory;
using netlib::IfName;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Result;

namespace {

Result<> addClaims(const Directory& state, const std::string& directory, const AttachmentKey& key,
                   std::vector<std::string>& claims) {
  for (const std::string& name : TRY(namesIn(state, directory))) {
    const std::string claim = directory + "/" + name;
    const auto pointee = pointeeOf(state, claim);
    if (pointee.failedWith(netlib::Cause::Damaged)) continue;  // not created by pons
    if (!pointee.ok()) return netlib::fail(pointee.error());
    if (*pointee == key) claims.push_back(claim);
  }
  return {};
}

/// The last component of the path, if the others are `directory`.
std::optional<std::string_view> nameIn(std::string_view directory, std::string_view name) {
  const std::size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || name.substr(0, slash) != directory) return std::nullopt;
  return name.substr(slash + 1);
}

/// From "ports/tcp-8080/0.0.0.0".
std::optional<PortForward> forwardOf(std::string_view claim) {
  const std::size_t slash = claim.rfind('/');
  const auto directory = nameIn(kPorts, claim.substr(0, slash));
  if (!directory) return std::nullopt;
  const std::size_t dash = directory->find('-');
  if (dash == std::string_view::npos) return std::nullopt;

  const std::string_view digits = directory->substr(dash + 1);
  Port port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const auto protocol = parseProtocol(directory->substr(0, dash));
  const auto hostAddress = port_claims::addressIn(claim.substr(slash + 1));
  if (port == 0 || !protocol || !hostAddress) return std::nullopt;
  return PortForward{*protocol, *hostAddress, port, IpAddress::unspecified(hostAddress->family()), 1};
}

/// "name" or "name/value" of a reference; nothing for other claims.
std::optional<std::string_view> sharedStateIn(std::string_view claim) {
  const std::string_view top = kHolds;
  if (!claim.starts_with(top) || claim.substr(top.size(), 1) != "/") return std::nullopt;
  claim.remove_prefix(top.size() + 1);
  return claim.substr(0, claim.rfind('/'));
}

/// Sets the members that are derived from a shared state of a bridge, without its name.
void setFromKind(Attachment& attachment, std::string_view kind, std::string_view value) {
  if (kind == "promiscuous-") attachment.bridge.promiscuous = true;
  if (kind == "forward-") {
    attachment.acceptForward = true;
    attachment.adminChain = shared_state::adminChainIn(value);
  }
  if (kind == "internal-") attachment.internal = true;
  if (kind == "published-") attachment.publishedOnly = true;
  if (kind == "silent-") attachment.onDeny = OnDeny::Drop;
  if (kind == "ingress-") attachment.ingress = parseIngressPolicy(value).value_or(IngressPolicy::Isolated);
}

/// Sets the members that are derived from the name of a shared state.
void setFromReference(Attachment& attachment, std::string_view sharedState) {
  const std::string name = shared_state::stem(sharedState);
  const std::string_view value = shared_state::valueIn(sharedState);
  const auto bridgeAfter = [&name](std::string_view kind) {
    return name.starts_with(kind) ? IfName::parse(std::string_view{name}.substr(kind.size())) : std::nullopt;
  };
  if (auto root = shared_state::rootOf(name)) attachment.resolvConf = ResolvConf{*std::move(root), {}};
  if (const auto subnet = shared_state::subnetOf(name)) { attachment.sourceNats.push_back({{*subnet}, true, {}}); }
  if (bridgeAfter("vlans-") && !attachment.vlans) attachment.vlans = PortVlans{};
  for (const std::string_view kind :
       {"promiscuous-", "forward-", "ingress-", "internal-", "published-", "silent-", "rejecting-"}) {
    const auto bridge = bridgeAfter(kind);
    if (!bridge) continue;
    attachment.bridge.name = *bridge;
    setFromKind(attachment, kind, value);
  }
}

/// The others may name the gateway's link in a VLAN instead.
void setBridge(Attachment& attachment, std::string_view sharedState) {
  const std::string name = shared_state::stem(sharedState);
  constexpr std::string_view kPrefix = "bridge-";
  const auto bridge = name.starts_with(kPrefix) ? IfName::parse(name.substr(kPrefix.size())) : std::nullopt;
  if (bridge) attachment.bridge.name = *bridge;
  const auto vlan = shared_state::vlanOf(name);
  if (vlan) attachment.vlans = PortVlans{.untagged = *vlan};
}

}  // namespace

Result<std::vector<std::string>> claimsOf(const Directory& state, const AttachmentKey& key) {
  std::vector<std::string> claims;
  TRY(addClaims(state, addressDirectory(key.network), key, claims));
  for (const std::string& name : TRY(namesIn(state, std::string{kPorts}))) {
    TRY(addClaims(state, std::string{kPorts} + "/" + name, key, claims));
  }
  for (const std::string& directory : TRY(referenceDirectories(state))) TRY(addClaims(state, directory, key, claims));
  return claims;
}

bool dropUnclaimed(const Directory& state, Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  const auto isUnclaimed = [&](const ClaimLink& claim) {
    const auto owner = pointeeOf(state, claim.name);
    return owner.ok() && *owner != key;  // keep an unreadable one: release() reports the error
  };
  const auto leases = std::erase_if(
      attachment.leases, [&](const Lease& lease) { return isUnclaimed(addressClaim(key, lease.address.address())); });
  const auto forwards = std::erase_if(attachment.forwards, [&](const PortForward& forward) {
    const auto claimed = port_claims::has(state, forward, key);
    return claimed.ok() && !*claimed;
  });
  return leases + forwards == 0;
}

Attachment attachmentFromClaims(const AttachmentKey& key, const std::vector<std::string>& claims) {
  Attachment attachment = bareAttachment(key, BridgeSettings{}.name);
  attachment.bandwidth = Bandwidth{};  // there is no claim for limits: assume both
  for (const std::string& claim : claims) {
    if (const auto sharedState = sharedStateIn(claim)) setFromReference(attachment, *sharedState);
    if (const auto forward = forwardOf(claim)) attachment.forwards.push_back(*forward);
    const auto address = nameIn(addressDirectory(key.network), claim);
    const auto leased = address ? IpAddress::parse(*address) : std::nullopt;
    if (leased) attachment.leases.push_back({IpPrefix::host(*leased), std::nullopt});
  }
  for (const std::string& claim : claims) {
    if (const auto sharedState = sharedStateIn(claim)) setBridge(attachment, *sharedState);
  }
  return attachment;
}

}  // namespace pons
