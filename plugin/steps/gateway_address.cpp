#include "netlib/rtnl/address.h"

#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace address = netlib::address;
namespace link = netlib::link;

namespace {

netlib::Result<> remove(Host& host, unsigned bridgeIndex, const netlib::IpPrefix& prefix) {
  netlib::Batch batch;
  address::appendRemove(batch, bridgeIndex, prefix);
  const auto removed = host.route.request(batch);
  if (!removed && !removed.failedWith(EADDRNOTAVAIL)) return netlib::fail(removed.error());
  return {};
}

/// A /32 or /128, as flannel's VXLAN link has, covers no other address.
bool isHostAddress(const netlib::IpPrefix& prefix) { return prefix.length() == netlib::bitsOf(prefix.family()); }

netlib::Failure<netlib::Error> overlap(Host& host, const netlib::IpPrefix& gateway,
                                       const address::InterfaceAddress& other) {
  const auto owner = link::find(host.route, other.index);
  const std::string where = owner ? owner->name : "another link";
  return netlib::fail(EINVAL, "gateway address " + gateway.toString() + " overlaps " + other.prefix.toString() +
                                  " of " + where + ": choose a subnet that the host does not use");
}

/// The bridge's other addresses that overlap, to be replaced with "forceAddress"; an error where they must not be, or
/// where another link has the subnet: packets to containers would go there. Only called when the gateway address was
/// missing.
netlib::Result<std::vector<netlib::IpPrefix>> addressesToReplace(Host& host, const netlib::IpPrefix& gateway,
                                                                 bool force) {
  std::vector<netlib::IpPrefix> toReplace;
  for (const auto& other : TRY(address::list(host.route, gateway.family()))) {
    const bool sameBridge = other.index == host.bridge.index;
    if (sameBridge && other.prefix == gateway) continue;
    if (isHostAddress(other.prefix) || other.prefix.address().isLinkLocal() || !other.prefix.overlaps(gateway))
      continue;
    if (!sameBridge || !force) return overlap(host, gateway, other);
    toReplace.push_back(other.prefix);
  }
  return toReplace;
}

/// Saved first, so that undo() restores them.
netlib::Result<> replace(Host& host, const std::string& hold, const std::vector<netlib::IpPrefix>& replaced) {
  std::map<std::string, std::string> originals;
  for (const netlib::IpPrefix& prefix : replaced) originals[prefix.toString()] = "replaced";
  {
    const auto lock = TRY(host.ledger.lockHost());
    TRY(host.ledger.saveOriginals(hold, originals));
  }
  for (const netlib::IpPrefix& prefix : replaced) TRY(remove(host, host.bridge.index, prefix));
  return {};
}

netlib::Result<> restoreReplaced(Host& host, const std::string& hold, unsigned bridgeIndex) {
  for (const auto& [text, why] : TRY(host.ledger.savedOriginals(hold))) {
    const auto prefix = netlib::IpPrefix::parse(text);
    if (!prefix) return netlib::fail(EBADMSG, "the ledger's originals of " + hold + " name no address: " + text);
    netlib::Batch batch;
    address::appendAdd(batch, bridgeIndex, *prefix, address::DuplicateDetection::Off);
    const auto added = host.route.request(batch);
    if (!added && !added.failedWith(EEXIST)) return netlib::fail(added.error());
  }
  return host.ledger.forgetOriginals(hold);
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
    const auto added = add(host);
    if (added.failedWith(EEXIST)) return {};
    if (!added) return added;

    auto alone = makeAlone(host);
    // The first error is the one to report.
    if (!alone) static_cast<void>(undo(host));
    return alone;
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return host.ledger.forgetOriginals(sharedState());
    if (!bridge) return netlib::fail(bridge.error());
    // Foreign ports of the bridge use its addresses: these are removed with the bridge.
    if (isOfPons(*bridge) && TRY(servesOthers(host, *bridge))) return host.ledger.forgetOriginals(sharedState());
    for (const auto& present : TRY(address::list(host.route, address_.family(), bridge->index))) {
      // An address without our mark (IFA_PROTO) existed before. Linux before 5.18 has no IFA_PROTO: there the address
      // stays until the bridge is removed.
      if (present.prefix == address_ && present.own) TRY(remove(host, bridge->index, address_));
    }
    return restoreReplaced(host, sharedState(), bridge->index);
  }

  netlib::Result<> verify(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (bridge.failedWith(ENODEV)) return broken("bridge " + attachment_.bridge.name.toString() + " is gone");
    if (!bridge) return netlib::fail(bridge.error());
    for (const auto& present : TRY(address::list(host.route, address_.family(), bridge->index))) {
      if (present.prefix == address_) return {};
    }
    return broken(name() + " is missing");
  }

 private:
  netlib::Result<> add(Host& host) const {
    netlib::Batch batch;
    address::appendAdd(batch, host.bridge.index, address_, address::DuplicateDetection::Off);
    TRY(host.route.request(batch));
    return {};
  }

  netlib::Result<> makeAlone(Host& host) const {
    const auto replaced = TRY(addressesToReplace(host, address_, attachment_.bridge.forceAddress));
    if (replaced.empty()) return {};
    TRY(replace(host, sharedState(), replaced));
    // Removing the primary IPv4 address of a subnet removes its secondary ones, and ours was one (promote_secondaries
    // 0).
    return netlib::ignoring(EEXIST, add(host));
  }

  netlib::IpPrefix address_;
};

}  // namespace

StepPointer gatewayAddress(const Attachment& attachment, const netlib::IpPrefix& address) {
  return std::make_unique<const GatewayAddress>(attachment, address);
}

}  // namespace pons
