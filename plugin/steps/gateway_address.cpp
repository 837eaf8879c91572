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
  const auto added = host.route.request(batch);
  if (added) return {};
  // disable_ipv6, which the bridge has from "default" (ip-sysctl.rst).
  const bool isDisabled = !prefix.address().isIpv4() && added.failedWith(EACCES);
  const char* advice =
      isDisabled ? ": set net.ipv6.conf.all.disable_ipv6 and net.ipv6.conf.default.disable_ipv6 to 0" : "";
  return netlib::fail(added.error().reworded(added.error().message + advice));
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
    const bool sameBridge = other.index == routedLinkOf(host, attachment).index;
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

/// What the ledger saves of an address, by which undo() knows whose it is. The mark (IFA_PROTO) is of Linux 5.18, and
/// another ledger has the same; it identifies what a process left whose ledger was lost.
constexpr const char* kReplaced = "replaced";       ///< by the gateway address, which restores it at its end
constexpr const char* kAdded = "added";             ///< by this ledger; not saved at first on a bridge of pons
constexpr const char* kFound = "was there before";  ///< it stays; an older pons has saved other words

netlib::Result<> restoreReplaced(Host& host, const std::string& state, unsigned bridgeIndex) {
  for (const auto& [text, why] : TRY(host.ledger.savedOriginals(state))) {
    if (why != kReplaced) continue;
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
    return "gateway address " + address_.toString() + " on bridge " + routedLink(attachment_).toString();
  }

  std::string sharedState() const override { return shared_state::gateway(attachment_, address_); }

  netlib::Result<> apply(Host& host) const override {
    if (!host.ledger.hadReferences(sharedState())) return addFirst(host);
    // IPv6 answers EEXIST for any prefix length: with an earlier reference it is the right one.
    const auto added = add(host, linkIndex(host), address_);
    if (added.failedWith(EEXIST)) return {};
    TRY(added);
    return makeAlone(host, true);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, routedLink(attachment_));
    if (bridge.failedWith(ENODEV)) return host.ledger.forgetOriginals(sharedState());
    if (!bridge) return netlib::fail(bridge.error());
    const auto originals = TRY(host.ledger.savedOriginals(sharedState()));
    const auto origin = originals.find(address_.toString());
    const bool isSaved = origin != originals.end();
    if (otherLedgerOf(host, *bridge) || (isSaved && origin->second != kAdded)) {
      return host.ledger.forgetOriginals(sharedState());
    }
    // Foreign ports of the bridge use its addresses: these are removed with the bridge; but not one that a failed ADD
    // has just added.
    const bool isRollback = !host.ledger.hadReferences(sharedState());
    if (isOfPons(*bridge) && !isRollback && TRY(servesOthers(host, *bridge))) {
      return host.ledger.forgetOriginals(sharedState());
    }
    const auto present = TRY(address::list(host.route, address_.family(), bridge->index));
    const auto isOurs = [&](const address::InterfaceAddress& one) {
      return one.prefix == address_ && (one.own || isSaved || isOfPons(*bridge));
    };
    if (std::ranges::any_of(present, isOurs)) TRY(remove(host, bridge->index, present, {address_}));
    return restoreReplaced(host, sharedState(), bridge->index);
  }

  netlib::Result<> repair(Host& host) const override {
    const auto added = add(host, linkIndex(host), address_);
    TRY(netlib::ignoring(EEXIST, added));
    return makeAlone(host, added.ok());
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    for (const auto& present : TRY(address::list(host.route, address_.family(), linkIndex(host)))) {
      if (present.prefix == address_) return Differences{};
    }
    return Differences{missing(name())};
  }

 private:
  unsigned linkIndex(const Host& host) const { return routedLinkOf(host, attachment_).index; }

  /// Another ADD that already refers to the address may add it in the middle of this; then it corrects what was saved.
  netlib::Result<> addFirst(Host& host) const {
    const auto lock = TRY(host.ledger.lockHost());
    const auto present = TRY(address::list(host.route, address_.family()));
    const auto found = std::ranges::find_if(present, [&](const address::InterfaceAddress& one) {
      return one.index == linkIndex(host) && one.prefix == address_;
    });
    return found == present.end() ? addAlone(host, present, true) : noteFound(host, *found);
  }

  netlib::Result<> noteFound(Host& host, const address::InterfaceAddress& found) const {
    const bool isLeftover = found.own && !TRY(isInOthersUse(host, routedLinkOf(host, attachment_)));
    if (isLeftover) return {};  // of a process of this ledger
    return host.ledger.saveOriginals(sharedState(), {{address_.toString(), kFound}});
  }

  netlib::Result<> makeAlone(Host& host, bool isNew) const {
    // References need the host lock, so that no other gateway address can come meanwhile.
    const auto lock = TRY(host.ledger.lockHost());
    return addAlone(host, TRY(address::list(host.route, address_.family())), isNew);
  }

  /// `present`: of all links. `isNew`: the bridge did not have the address before this ledger. The caller holds the
  /// host lock.
  netlib::Result<> addAlone(Host& host, const Addresses& present, bool isNew) const {
    const auto replaced = TRY(addressesToReplace(host, attachment_, address_, present));
    TRY(saveOrigins(host, replaced, isNew));
    TRY(remove(host, linkIndex(host), present, replaced));
    return netlib::ignoring(EEXIST, add(host, linkIndex(host), address_));
  }

  /// Before the kernel is changed.
  netlib::Result<> saveOrigins(Host& host, const Prefixes& replaced, bool isNew) const {
    const bool isUsual = isOfPons(routedLinkOf(host, attachment_)) && !host.ledger.hadReferences(sharedState());
    if (replaced.empty() && (!isNew || isUsual)) return {};
    auto originals = TRY(host.ledger.savedOriginals(sharedState()));
    for (const netlib::IpPrefix& prefix : replaced) originals[prefix.toString()] = kReplaced;
    if (isNew) originals[address_.toString()] = kAdded;
    TRY(host.ledger.forgetOriginals(sharedState()));
    return host.ledger.saveOriginals(sharedState(), originals);
  }

  netlib::IpPrefix address_;
};

}  // namespace

StepPointer gatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address) {
  return std::make_unique<const GatewayAddress>(attachment, address);
}

}  // namespace pons
