#include <algorithm>

#include "netlib/rtnl/address.h"

#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace address = netlib::address;
namespace link = netlib::link;

namespace {

using Prefixes = std::vector<netlib::IpPrefix>;
using Addresses = std::vector<address::InterfaceAddress>;

bool contains(const Prefixes& prefixes, const netlib::IpPrefix& prefix) {
  return std::ranges::find(prefixes, prefix) != prefixes.end();
}

/// Of the bridge.
netlib::Result<> add(Host& host, unsigned bridgeIndex, const netlib::IpPrefix& prefix) {
  netlib::Batch batch;
  address::appendAdd(batch, bridgeIndex, prefix, address::DuplicateDetection::Off);
  TRY(host.route.request(batch));
  return {};
}

/// Removing the primary IPv4 address of a subnet removes its secondary ones (promote_secondaries 0). Those of `present`
/// are added again: another gateway address, or the administrator's.
netlib::Result<> addSecondaries(Host& host, unsigned bridgeIndex, const Addresses& present, const Prefixes& removed) {
  for (const auto& other : present) {
    const bool isKept = other.index == bridgeIndex && !contains(removed, other.prefix);
    const auto isInSubnet = [&](const netlib::IpPrefix& prefix) {
      return prefix.length() == other.prefix.length() && prefix.network() == other.prefix.network();
    };
    if (!isKept || !other.prefix.address().isIpv4() || std::ranges::none_of(removed, isInSubnet)) continue;
    TRY(netlib::ignoring(EEXIST, add(host, bridgeIndex, other.prefix)));
  }
  return {};
}

/// `present` is what the bridge has.
netlib::Result<> remove(Host& host, unsigned bridgeIndex, const Addresses& present, const Prefixes& removed) {
  for (const netlib::IpPrefix& prefix : removed) {
    netlib::Batch batch;
    address::appendRemove(batch, bridgeIndex, prefix);
    const auto done = host.route.request(batch);
    if (!done && !done.failedWith(EADDRNOTAVAIL)) return netlib::fail(done.error());
  }
  return addSecondaries(host, bridgeIndex, present, removed);
}

/// A /32 or /128, as flannel's VXLAN link has, covers no other address.
bool isHostAddress(const netlib::IpPrefix& prefix) { return prefix.length() == netlib::bitsOf(prefix.family()); }

netlib::Failure<netlib::Error> overlap(Host& host, const netlib::IpPrefix& gateway,
                                       const address::InterfaceAddress& other) {
  const auto owner = link::find(host.route, other.index);
  const std::string where = owner ? owner->name : "another link";
  return netlib::fail(netlib::Cause::InUse, "gateway address " + gateway.toString() + " overlaps " +
                                                other.prefix.toString() + " of " + where +
                                                ": choose a subnet that the host does not use");
}

/// Another attachment's gateway address stays, whatever "forceAddress" says.
netlib::Result<> requireUnreferenced(Host& host, const Attachment& attachment, const netlib::IpPrefix& gateway,
                                     const netlib::IpPrefix& other) {
  // References to this address are of this prefix length: the ledger refuses a second one.
  if (other.address() == gateway.address()) return {};
  const std::string state = shared_state::stem(shared_state::gateway(attachment, other));
  const auto owners = TRY(host.ledger.referencesTo(state));
  if (owners.empty()) return {};
  return netlib::fail(netlib::Cause::InUse, "gateway address " + gateway.toString() + " overlaps " + other.toString() +
                                                ", the gateway address of " + host.ledger.describe(owners.front()) +
                                                " on the same bridge: choose another subnet or bridge");
}

/// The bridge's other addresses that overlap, to be replaced with "forceAddress"; InUse where they must not be, or
/// where another link has the subnet: packets to containers would go there.
netlib::Result<Prefixes> addressesToReplace(Host& host, const Attachment& attachment, const netlib::IpPrefix& gateway,
                                            const Addresses& present) {
  Prefixes toReplace;
  for (const auto& other : present) {
    const bool sameBridge = other.index == host.bridge.index;
    if (sameBridge && other.prefix == gateway) continue;
    // IPv6 has an address with one prefix length only.
    const bool isSame = sameBridge && !gateway.address().isIpv4() && other.prefix.address() == gateway.address();
    const bool isHarmless =
        isHostAddress(other.prefix) || other.prefix.address().isLinkLocal() || !other.prefix.overlaps(gateway);
    if (isHarmless && !isSame) continue;
    if (sameBridge) TRY(requireUnreferenced(host, attachment, gateway, other.prefix));
    if (!sameBridge || !attachment.bridge.forceAddress) return overlap(host, gateway, other);
    toReplace.push_back(other.prefix);
  }
  return toReplace;
}

/// Saved before they are removed, so that undo() restores them. The caller holds the host lock.
netlib::Result<> saveReplaced(Host& host, const std::string& state, const Prefixes& replaced) {
  auto originals = TRY(host.ledger.savedOriginals(state));
  for (const netlib::IpPrefix& prefix : replaced) originals[prefix.toString()] = "replaced";
  TRY(host.ledger.forgetOriginals(state));
  return host.ledger.saveOriginals(state, originals);
}

netlib::Result<> restoreReplaced(Host& host, const std::string& state, unsigned bridgeIndex) {
  for (const auto& [text, why] : TRY(host.ledger.savedOriginals(state))) {
    const auto prefix = netlib::IpPrefix::parse(text);
    if (!prefix)
      return netlib::fail(netlib::Cause::Damaged, "the ledger's originals of " + state + " name no address: " + text);
    TRY(netlib::ignoring(EEXIST, add(host, bridgeIndex, *prefix)));
  }
  return host.ledger.forgetOriginals(state);
}

class GatewayAddress final : public AttachmentStep {
 public:
  GatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address)
      : AttachmentStep(attachment), address_(address) {}

  std::string name() const override {
    return "gateway address " + address_.toString() + " on bridge " + attachment_.bridge.name.toString();
  }

  std::string sharedState() const override { return shared_state::gateway(attachment_, address_); }

  netlib::Result<> apply(Host& host) const override {
    const auto added = add(host, host.bridge.index, address_);
    if (added.failedWith(EEXIST)) TRY(noteOthers(host));
    if (added.failedWith(EEXIST) && TRY(hasThisLength(host))) return {};
    TRY(netlib::ignoring(EEXIST, added));
    return makeAlone(host);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return host.ledger.forgetOriginals(sharedState());
    if (!bridge) return netlib::fail(bridge.error());
    const bool isOfOthers =
        otherLedgerOf(host, *bridge) || TRY(host.ledger.savedOriginals(sharedState())).contains(address_.toString());
    if (isOfOthers) return host.ledger.forgetOriginals(sharedState());
    // Foreign ports of the bridge use its addresses: these are removed with the bridge.
    if (isOfPons(*bridge) && TRY(servesOthers(host, *bridge))) return host.ledger.forgetOriginals(sharedState());
    const auto present = TRY(address::list(host.route, address_.family(), bridge->index));
    // An address without our mark (IFA_PROTO) existed before. Linux before 5.18 has no IFA_PROTO: there the address
    // stays until the bridge is removed.
    const auto isOurs = [this](const address::InterfaceAddress& one) { return one.prefix == address_ && one.own; };
    if (std::ranges::any_of(present, isOurs)) TRY(remove(host, bridge->index, present, {address_}));
    return restoreReplaced(host, sharedState(), bridge->index);
  }

  netlib::Result<> repair(Host& host) const override {
    TRY(netlib::ignoring(EEXIST, add(host, host.bridge.index, address_)));
    return makeAlone(host);
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    for (const auto& present : TRY(address::list(host.route, address_.family(), host.bridge.index))) {
      if (present.prefix == address_) return Differences{};
    }
    return Differences{missing(name())};
  }

 private:
  /// On a bridge of other programs another ledger's attachments may have the same gateway, with the same mark: an
  /// address that was there before this ledger's first reference stays at its end.
  netlib::Result<> noteOthers(Host& host) const {
    if (isOfPons(host.bridge) || host.ledger.hadReferences(sharedState())) return {};
    if (!TRY(isInOthersUse(host, host.bridge))) return {};
    const auto lock = TRY(host.ledger.lockHost());
    return host.ledger.saveOriginals(sharedState(), {{address_.toString(), "of another state directory"}});
  }

  /// IPv6 answers EEXIST for the address with any prefix length. With an earlier reference it is the right one.
  netlib::Result<bool> hasThisLength(Host& host) const {
    if (address_.address().isIpv4() || host.ledger.hadReferences(sharedState())) return true;
    const auto present = TRY(address::list(host.route, address_.family(), host.bridge.index));
    return std::ranges::find(present, address_, &address::InterfaceAddress::prefix) != present.end();
  }

  netlib::Result<> makeAlone(Host& host) const {
    // References need the host lock, so that no other gateway address can come meanwhile.
    const auto lock = TRY(host.ledger.lockHost());
    const auto present = TRY(address::list(host.route, address_.family()));
    const auto replaced = TRY(addressesToReplace(host, attachment_, address_, present));
    if (replaced.empty()) return {};
    TRY(saveReplaced(host, sharedState(), replaced));
    TRY(remove(host, host.bridge.index, present, replaced));
    return netlib::ignoring(EEXIST, add(host, host.bridge.index, address_));
  }

  netlib::IpPrefix address_;
};

}  // namespace

StepPointer gatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address) {
  return std::make_unique<const GatewayAddress>(attachment, address);
}

}  // namespace pons
