#include "plugin/context/link_owner.h"
#include "plugin/firewall/forward_chains.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

/// Saved in the ledger once the host's chains have the rules: for the bridge, and for each of the administrator's
/// chains.
constexpr const char* kBridge = "bridge";
constexpr const char* kChainPrefix = "chain ";

class ForwardAccepted final : public AttachmentStep {
 public:
  ForwardAccepted(const Attachment& attachment, netlib::IfName link)
      : AttachmentStep(attachment), link_(std::move(link)) {}

  std::string name() const override { return "firewall accept rules for bridge " + link_.toString(); }
  std::string sharedState() const override { return shared_state::forwardAccept(attachment_, link_); }

  // Listing all chains may be slow, so only the bridge's first container does; CHECK, STATUS and repair inspect them
  // again.
  netlib::Result<> apply(Host& host) const override {
    return TRY(isAnswered(host)) ? netlib::Result<>{} : repair(host);
  }

  netlib::Result<> undo(Host& host) const override {
    // The rules name the bridge, not the ledger.
    const auto bridge = netlib::link::find(host.route, attachment_.bridge.name);
    const bool isKept = bridge && TRY(isInOthersUse(host, *bridge));
    if (!isKept) TRY(forward::remove(host, {link_, {}}));
    return host.ledger.forgetOriginals(sharedState());
  }

  // The accept rules stay; the jump goes with the last reference to its chain.
  netlib::Result<> leave(Host& host) const override {
    if (!attachment_.adminChain) return {};
    const auto remaining = TRY(forward::rulesOf(host.ledger, attachment_, link_));
    if (remaining.adminChains.contains(*attachment_.adminChain)) return {};
    // Without the program of iptables-legacy there could be no jump of ours.
    return netlib::ignoring(netlib::Cause::Missing, set(host, remaining));
  }

  netlib::Result<Differences> verify(Host& host) const override {
    Differences found;
    const auto wanted = TRY(rules(host));
    for (const forward::ChainState& place : TRY(forward::inspect(host, wanted))) {
      if (place.present < place.wanted) found.push_back(missing(name() + " in " + place.name));
      addIfDiffers(found, {.what = "stale jumps to admin chains in " + place.name,
                           .expected = "0",
                           .actual = std::to_string(place.stale)});
    }
    return found;
  }

  netlib::Result<> repair(Host& host) const override {
    const auto hostLock = TRY(host.ledger.lockHost());
    const auto wanted = TRY(rules(host));
    return set(host, wanted);
  }

 private:
  netlib::Result<bool> isAnswered(Host& host) const {
    if (!attachment_.adminChain) return host.ledger.hasSavedOriginals(sharedState());
    return TRY(host.ledger.savedOriginals(sharedState())).contains(kChainPrefix + *attachment_.adminChain);
  }

  /// Of a caller whose reference is there.
  netlib::Result<forward::BridgeRules> rules(Host& host) const {
    auto rules = TRY(forward::rulesOf(host.ledger, attachment_, link_));
    if (attachment_.adminChain) rules.adminChains.insert(*attachment_.adminChain);
    return rules;
  }

  /// The caller holds the host lock.
  netlib::Result<> set(Host& host, const forward::BridgeRules& rules) const {
    TRY(forward::converge(host, rules));
    std::map<std::string, std::string> answered{{kBridge, rules.bridge.toString()}};
    for (const std::string& chain : rules.adminChains) answered[kChainPrefix + chain] = "jump";
    TRY(host.ledger.forgetOriginals(sharedState()));
    return host.ledger.saveOriginals(sharedState(), answered);
  }

  netlib::IfName link_;
};

}  // namespace

StepPointer forwardAccepted(const Attachment& attachment, const netlib::IfName& link) {
  return std::make_unique<const ForwardAccepted>(attachment, link);
}

}  // namespace pons
