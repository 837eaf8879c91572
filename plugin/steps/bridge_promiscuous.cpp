#include <net/if.h>

#include "plugin/context/bridge_originals.h"
#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;

namespace {

constexpr const char* kPromiscuous = "promiscuous";

netlib::Result<> set(Host& host, unsigned bridge, unsigned flag) {
  netlib::Batch batch;
  link::appendSetFlags(batch, bridge, flag, IFF_PROMISC);
  TRY(host.route.request(batch));
  host.bridge.flags = (host.bridge.flags & ~unsigned{IFF_PROMISC}) | flag;
  return {};
}

class BridgePromiscuous final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "promiscuous mode of bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::promiscuous(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    if (host.bridge.promiscuous()) return {};
    {
      const auto lock = TRY(host.ledger.lockHost());
      TRY(saveOriginalsOf(host, host.bridge, sharedState(), {{kPromiscuous, "0"}}));
    }
    return set(host, host.bridge.index, IFF_PROMISC);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
    // Nothing is saved where it was on before.
    const bool isSaved = bridge && !TRY(originalsOf(host, *bridge, sharedState())).empty();
    if (isSaved && !TRY(isInOthersUse(host, *bridge))) TRY(set(host, bridge->index, 0));
    return host.ledger.forgetOriginals(sharedState());
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    if (host.bridge.promiscuous()) return Differences{};
    return Differences{{.what = name(), .expected = "on", .actual = "off"}};
  }
};

}  // namespace

StepPointer bridgePromiscuous(const Attachment& attachment) {
  return std::make_unique<const BridgePromiscuous>(attachment);
}

}  // namespace pons
