#include "plugin/context/port_vlans.h"

#include "plugin/context/link_owner.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace bridge_vlan = netlib::bridge_vlan;
namespace link = netlib::link;
using bridge_vlan::Table;

namespace {

/// Ends with the port.
class PortVlansSet final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "VLANs of " + attachment_.hostVeth.toString(); }

  // No frame has passed: the container's interface is still down.
  netlib::Result<> apply(Host& host) const override {
    netlib::Batch batch;
    const auto port = TRY(link::find(host.route, attachment_.hostVeth));
    appendPortVlans(batch, port.index, wanted(), host.bridge.bridgeVlans.value_or(link::BridgeVlans{}));
    TRY(host.route.request(batch));
    return gatewayVlan(attachment_) && isOwn(host, host.vlanLink) ? followBridge(host) : netlib::Result<>{};
  }

  netlib::Result<> undo(Host&) const override { return {}; }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const auto port = link::find(host.route, attachment_.hostVeth);
    // The step vethPair() says it.
    if (port.failedWith(ENODEV) || (port && port->master != host.bridge.index)) return Differences{};
    if (!port) return netlib::fail(port.error());
    Table present = TRY(bridge_vlan::list(host.route, port->index));
    const Table own = tableOf(wanted());
    if (wanted().keepsDefault) std::erase_if(present, [&own](const auto& one) { return !own.contains(one.first); });
    Differences found;
    addIfDiffers(found, {.what = name(), .expected = textOf(own), .actual = textOf(present)});
    return found;
  }

  netlib::Result<> repair(Host& host) const override {
    const auto port = TRY(link::find(host.route, attachment_.hostVeth));
    const Table own = tableOf(wanted());
    Table surplus;
    if (!wanted().keepsDefault) surplus = TRY(bridge_vlan::list(host.route, port.index));
    std::erase_if(surplus, [&own](const auto& one) { return own.contains(one.first); });
    netlib::Batch batch;
    bridge_vlan::appendRemove(batch, port.index, bridge_vlan::Of::Port, surplus);
    bridge_vlan::appendAdd(batch, port.index, bridge_vlan::Of::Port, own);
    TRY(host.route.request(batch));
    return {};
  }

 private:
  const PortVlans& wanted() const { return *attachment_.vlans; }

  /// The gateway's link has the MTU that the bridge had before it got this port.
  static netlib::Result<> followBridge(Host& host) {
    if (host.vlanLink.mtu < host.bridge.mtu) {
      const auto lock = TRY(host.ledger.lockHost());
      TRY(raiseVlanLinks(host, host.bridge));
    }
    host.vlanLink.mtu = host.bridge.mtu;
    return {};
  }
};

}  // namespace

StepPointer portVlans(const Attachment& attachment) { return std::make_unique<const PortVlansSet>(attachment); }

}  // namespace pons
