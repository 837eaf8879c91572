#include <array>

#include "netlib/os/sysctl.h"

#include "plugin/context/bridge_originals.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
namespace sysctl = netlib::sysctl;
using netlib::Family;

namespace {

std::string sysctlOf(const Attachment& attachment) {
  return sysctl::ofInterface(Family::Ipv4, routedLink(attachment), "route_localnet");
}

netlib::Result<> set(Host& host, unsigned link, bool on) {
  netlib::Batch batch;
  link::appendSetRouteLocalnet(batch, link, on);
  TRY(host.route.request(batch));
  return {};
}

netlib::Result<> restoreSwitch(Host& host, const Attachment& attachment, const std::string& state) {
  const auto bridge = link::find(host.route, routedLink(attachment));
  if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
  // Another program that has switched it off meanwhile decides.
  if (bridge && bridge->routeLocalnet) {
    const auto originals = TRY(originalsOf(host, *bridge, state));
    if (originals.contains(sysctlOf(attachment))) TRY(set(host, bridge->index, false));
  }
  return host.ledger.forgetOriginals(state);
}

class RouteLocalnet final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override {
    return "published ports at 127.0.0.1 through bridge " + routedLink(attachment_).toString();
  }

  std::string sharedState() const override { return shared_state::routeLocalnet(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    const std::array element{bridges::elementOf(routedLink(attachment_))};
    // First the chain that drops packets of containers to 127.0.0.0/8.
    TRY(tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
      transaction.addElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
    }));
    if (routedLinkOf(host, attachment_).routeLocalnet) return {};
    const link::Link bridge = TRY(link::find(host.route, routedLink(attachment_)));
    if (bridge.routeLocalnet) return {};
    const auto lock = TRY(host.ledger.lockHost());
    TRY(saveOriginalsOf(host, bridge, sharedState(), {{sysctlOf(attachment_), "0"}}));
    return set(host, bridge.index, true);
  }

  netlib::Result<> undo(Host& host) const override {
    TRY(restoreSwitch(host, attachment_, sharedState()));
    const std::array element{bridges::elementOf(routedLink(attachment_))};
    const nft::Table table = nat::tableOf(Family::Ipv4);
    const auto removed = tables::removeAsOwner(host, table.family, [&](nft::Transaction& transaction) {
      transaction.deleteElements(table, nat::kBridges, element);
    });
    return netlib::ignoring(ENOENT, removed);
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const std::array element{bridges::elementOf(routedLink(attachment_))};
    Differences found = TRY(tables::differencesOf(host, [&](nft::Transaction& transaction) {
      transaction.addElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
    }));
    const auto value = sysctl::read(sysctlOf(attachment_));
    if (value.failedWith(ENOENT)) {
      // Of a foreign main plugin: ours has a step for it.
      found.push_back(missing("bridge " + routedLink(attachment_).toString(), Remedy::RestartContainer));
      return found;
    }
    if (!value) return netlib::fail(value.error());
    addIfDiffers(found, {.what = "sysctl " + sysctlOf(attachment_), .expected = "1", .actual = *value});
    return found;
  }
};

}  // namespace

StepPointer routeLocalnet(const Attachment& attachment) { return std::make_unique<const RouteLocalnet>(attachment); }

}  // namespace pons
