#include "netlib/rtnl/bridge_vlan.h"

#include "plugin/context/bridge_originals.h"
#include "plugin/context/link_owner.h"
#include "plugin/context/optional_sysctls.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace bridge_vlan = netlib::bridge_vlan;
namespace link = netlib::link;
using bridge_vlan::Of;

namespace {

/// Saved where the bridge itself was not in the VLAN before.
constexpr const char* kMember = "member";

/// A veth pair, one end of which is a port of the bridge, is what the reference plugin makes. pons makes a VLAN link of
/// the bridge: what comes to it passes IP once, where br_netfilter would let packets to such a pair pass it twice, and
/// translate them at the wrong time. The kernel has that kind wherever bridges filter VLANs.
class VlanLink final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "link " + linkName() + " to VLAN " + std::to_string(vlan()); }
  std::string sharedState() const override { return shared_state::vlanLink(routedLink(attachment_)); }

  netlib::Result<> apply(Host& host) const override {
    auto found = TRY(usableLink(host));
    if (!found) {
      TRY(repair(host));
      found = TRY(link::find(host.route, routedLink(attachment_)));
    }
    host.vlanLink = *std::move(found);
    return {};
  }

  netlib::Result<> repair(Host& host) const override {
    const auto lock = TRY(host.ledger.lockHost());
    auto found = TRY(usableLink(host));
    if (!found || isOwn(host, *found)) TRY(joinVlan(host));
    if (!found) return create(host);
    netlib::Batch batch;
    link::appendSetUp(batch, found->index);
    TRY(host.route.request(batch));
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    const auto found = link::find(host.route, routedLink(attachment_));
    if (!found && !found.failedWith(ENODEV)) return netlib::fail(found.error());
    if (found && isOwn(host, *found)) TRY(netlib::ignoring(ENODEV, link::remove(host.route, found->index)));
    const auto bridge = link::find(host.route, attachment_.bridge.name);
    if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
    if (bridge) TRY(leaveVlan(host, *bridge));
    return host.ledger.forgetOriginals(sharedState());
  }

  const link::Link* provided(const Host& host) const override { return &host.vlanLink; }
  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    host.vlanLink = {};
    const auto found = link::find(host.route, routedLink(attachment_));
    if (found.failedWith(ENODEV)) return Differences{missing(name())};
    if (!found) return netlib::fail(found.error());
    if (!TRY(leadsToVlan(host, *found))) {
      return Differences{{.what = name(),
                          .expected = "in VLAN",
                          .actual = "another link of that name",
                          .remedy = Remedy::ChangeConfiguration}};
    }
    host.vlanLink = *found;
    Differences faults;
    addIfDiffers(faults, {.what = name(), .expected = "up", .actual = found->up() ? "up" : "down"});
    if (!isOwn(host, *found)) return faults;
    const bool isMember = TRY(bridge_vlan::list(host.route, host.bridge.index)).contains(vlan());
    addIfDiffers(faults, {.what = "VLAN " + std::to_string(vlan()) + " of bridge " + host.bridge.name + " itself",
                          .expected = onOff(true),
                          .actual = onOff(isMember)});
    return faults;
  }

 private:
  std::string linkName() const { return routedLink(attachment_).toString(); }
  netlib::VlanId vlan() const { return gatewayVlan(attachment_).value_or(0); }

  /// Also one of another program: a VLAN link of the bridge, or the veth pair of the reference plugin.
  netlib::Result<bool> leadsToVlan(Host& host, const link::Link& candidate) const {
    if (candidate.kind == "vlan") return candidate.peer == host.bridge.index && candidate.vlan == vlan();
    if (candidate.kind != "veth" || candidate.peerNetns) return false;
    const auto peer = link::find(host.route, candidate.peer);
    return peer && peer->master == host.bridge.index;
  }

  /// Nothing where there is none.
  netlib::Result<std::optional<link::Link>> usableLink(Host& host) const {
    auto found = link::find(host.route, routedLink(attachment_));
    if (found.failedWith(ENODEV)) return std::optional<link::Link>{};
    if (!found) return netlib::fail(found.error());
    if (const auto other = otherLedgerOf(host, *found))
      return netlib::fail(belongsToOther("link " + linkName(), *other));
    if (TRY(leadsToVlan(host, *found))) return std::optional{*std::move(found)};
    return netlib::fail(netlib::Cause::InUse, "link " + linkName() + " exists and does not lead to VLAN " +
                                                  std::to_string(vlan()) + " of bridge " + host.bridge.name +
                                                  ": remove or rename it");
  }

  /// The caller holds the host lock, here and below.
  netlib::Result<> create(Host& host) const {
    const auto created = link::createVlan(host.route, {.name = routedLink(attachment_),
                                                       .alias = bridgeAlias(host.ledger.path()),
                                                       .below = host.bridge.index,
                                                       .id = vlan()});
    if (created.failedWith(EEXIST)) {
      return netlib::fail(netlib::Cause::InUse, "bridge " + host.bridge.name + " has a link to VLAN " +
                                                    std::to_string(vlan()) + " already: rename that one to " +
                                                    linkName());
    }
    if (created.failedWith(EOPNOTSUPP)) {
      return netlib::fail(netlib::Cause::Unsupported, "the gateway of \"vlan\" needs a kernel with CONFIG_VLAN_8021Q");
    }
    return created ? setUpIpv6(host, routedLink(attachment_)) : created;
  }

  /// The bridge passes the VLAN's frames to the host, with their tag: without it they would come to the bridge's link.
  netlib::Result<> joinVlan(Host& host) const {
    const bridge_vlan::Table present = TRY(bridge_vlan::list(host.route, host.bridge.index));
    if (const auto member = present.find(vlan()); member != present.end()) {
      if (!member->second.untagged) return {};
      return netlib::fail(netlib::Cause::InUse, "VLAN " + std::to_string(vlan()) + " is the one of bridge " +
                                                    host.bridge.name +
                                                    " itself, without a tag: leave out \"vlan\", or choose another");
    }
    TRY(saveOriginalsOf(host, host.bridge, sharedState(), {{kMember, "0"}}));
    netlib::Batch batch;
    bridge_vlan::appendAdd(batch, host.bridge.index, Of::Bridge, {{vlan(), {}}});
    TRY(host.route.request(batch));
    return {};
  }

  netlib::Result<> leaveVlan(Host& host, const link::Link& bridge) const {
    if (TRY(originalsOf(host, bridge, sharedState())).empty() || TRY(isInOthersUse(host, bridge))) return {};
    netlib::Batch batch;
    bridge_vlan::appendRemove(batch, bridge.index, Of::Bridge, {{vlan(), {}}});
    TRY(host.route.request(batch));
    return {};
  }
};

}  // namespace

StepPointer vlanLink(const Attachment& attachment) { return std::make_unique<const VlanLink>(attachment); }

}  // namespace pons
