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
  return sysctl::ofInterface(Family::Ipv4, attachment.bridge.name, "route_localnet");
}

netlib::Result<> restoreSwitch(Host& host, const Attachment& attachment, const std::string& state) {
  const std::string name = sysctlOf(attachment);
  const auto bridge = link::find(host.route, attachment.bridge.name);
  if (!bridge && !bridge.failedWith(ENODEV)) return netlib::fail(bridge.error());
  // Another program that has switched it off meanwhile decides.
  if (bridge && bridge->routeLocalnet) {
    const auto originals = TRY(originalsOf(host, *bridge, state));
    const auto value = originals.find(name);
    if (value != originals.end()) TRY(sysctl::write(name, value->second));
  }
  return host.ledger.forgetOriginals(state);
}

class RouteLocalnet final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override {
    return "published ports at 127.0.0.1 through bridge " + attachment_.bridge.name.toString();
  }

  std::string sharedState() const override { return shared_state::routeLocalnet(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    const std::array element{bridges::elementOf(attachment_.bridge.name)};
    // First the chain that drops packets of containers to 127.0.0.0/8.
    TRY(tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
      transaction.addElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
    }));
    if (host.bridge.routeLocalnet) return {};
    const std::string name = sysctlOf(attachment_);
    const std::string value = TRY(sysctl::read(name));
    if (value == "1") return {};
    const auto lock = TRY(host.ledger.lockHost());
    const link::Link bridge = TRY(link::find(host.route, attachment_.bridge.name));
    TRY(saveOriginalsOf(host, bridge, sharedState(), {{name, value}}));
    return sysctl::write(name, "1");
  }

  netlib::Result<> undo(Host& host) const override {
    TRY(restoreSwitch(host, attachment_, sharedState()));
    const std::array element{bridges::elementOf(attachment_.bridge.name)};
    const nft::Table table = nat::tableOf(Family::Ipv4);
    const auto removed = tables::removeAsOwner(host, table.family, [&](nft::Transaction& transaction) {
      transaction.deleteElements(table, nat::kBridges, element);
    });
    return netlib::ignoring(ENOENT, removed);
  }

  bool needsBridge() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const std::array element{bridges::elementOf(attachment_.bridge.name)};
    Differences found = TRY(tables::differencesOf(host, [&](nft::Transaction& transaction) {
      transaction.addElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
    }));
    const auto value = sysctl::read(sysctlOf(attachment_));
    if (value.failedWith(ENOENT)) {
      // Of a foreign main plugin: ours has a step for it.
      found.push_back(missing("bridge " + attachment_.bridge.name.toString(), Remedy::RestartContainer));
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
