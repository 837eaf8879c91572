#include "netlib/rtnl/bridge_vlan.h"

#include "plugin/context/bridge_originals.h"
#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;

namespace {

constexpr const char* kFiltering = "vlan_filtering";

netlib::Result<> set(Host& host, unsigned bridge, bool on) {
  netlib::Batch batch;
  netlib::bridge_vlan::appendSetFiltering(batch, bridge, on);
  TRY(host.route.request(batch));
  if (host.bridge.bridgeVlans) host.bridge.bridgeVlans->filtering = on;
  return {};
}

class VlanFiltering final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "VLAN filtering of bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::vlanFiltering(attachment_.bridge.name); }

  netlib::Result<> apply(Host& host) const override {
    if (!host.bridge.bridgeVlans) return netlib::fail(netlib::Cause::Unsupported, lackOfOption());
    if (host.bridge.bridgeVlans->filtering) return {};
    if (host.bridge.bridgeVlans->defaultPvid == 0) TRY(requireNoPorts(host));
    const auto lock = TRY(host.ledger.lockHost());
    TRY(saveOriginalsOf(host, host.bridge, sharedState(), {{kFiltering, "0"}}));
    return set(host, host.bridge.index, true);
  }

  netlib::Result<> undo(Host& host) const override {
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
    // Nothing is saved where it was on before.
    const bool isSaved = bridge && !TRY(originalsOf(host, *bridge, sharedState())).empty();
    if (isSaved && !TRY(isInOthersUse(host, *bridge))) TRY(set(host, bridge->index, false));
    return host.ledger.forgetOriginals(sharedState());
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const bool on = host.bridge.bridgeVlans && host.bridge.bridgeVlans->filtering;
    Differences found;
    addIfDiffers(found, {.what = name(), .expected = onOff(true), .actual = onOff(on)});
    return found;
  }

 private:
  std::string lackOfOption() const {
    const bool isTrunk = attachment_.vlans && !attachment_.vlans->untagged;
    return std::string{isTrunk ? "\"vlanTrunk\"" : "\"vlan\""} +
           " needs a kernel with CONFIG_BRIDGE_VLAN_FILTERING, which this one lacks";
  }

  /// The ports that such a bridge has are in no VLAN: they would pass no frame any more.
  netlib::Result<> requireNoPorts(Host& host) const {
    if (TRY(link::portsOf(host.route, host.bridge.index)).empty()) return {};
    return netlib::fail(
        netlib::Cause::Invalid,
        "bridge " + host.bridge.name +
            " does not filter VLANs, and its ports are in none (vlan_default_pvid 0), so that filtering "
            "would cut them off: set its vlan_filtering to 1, and give its ports their VLANs");
  }
};

}  // namespace

StepPointer vlanFiltering(const Attachment& attachment) { return std::make_unique<const VlanFiltering>(attachment); }

}  // namespace pons
