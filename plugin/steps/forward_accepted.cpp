#include "plugin/firewall/forward_chains.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

/// Saved in the ledger once the host's chains have been inspected.
constexpr const char* kAnswered = "answered";

class ForwardAccepted final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "firewall accept rules for bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::forwardAccept(attachment_); }

  // Listing all chains may be slow, so only the bridge's first container does; CHECK, STATUS and repair inspect them
  // again.
  netlib::Result<> apply(Host& host) const override {
    const bool answered = TRY(host.ledger.hasSavedOriginals(sharedState()));
    return answered ? netlib::Result<>{} : repair(host);
  }

  netlib::Result<> undo(Host& host) const override {
    TRY(forward::remove(host, answer()));
    return host.ledger.forgetOriginals(sharedState());
  }

  netlib::Result<> verify(Host& host) const override {
    for (const forward::ChainState& place : TRY(forward::inspect(host, answer()))) {
      if (place.present >= place.wanted) continue;
      return broken(name() + ": " + place.name + " drops what containers send");
    }
    return {};
  }

  netlib::Result<> repair(Host& host) const override {
    const auto hostLock = TRY(host.ledger.lockHost());
    TRY(forward::insertMissing(host, answer()));
    return host.ledger.saveOriginals(sharedState(), {{kAnswered, attachment_.bridge.name.toString()}});
  }

 private:
  forward::BridgeRules answer() const { return {attachment_.bridge.name, attachment_.adminChain}; }
};

}  // namespace

StepPointer forwardAccepted(const Attachment& attachment) {
  return std::make_unique<const ForwardAccepted>(attachment);
}

}  // namespace pons
