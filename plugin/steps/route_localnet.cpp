#include <array>

#include "netlib/os/sysctl.h"

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;
namespace sysctl = netlib::sysctl;
using netlib::Family;

namespace {

std::string sysctlOf(const Attachment& attachment) {
  return sysctl::ofInterface(Family::Ipv4, attachment.bridge.name, "route_localnet");
}

netlib::Result<> restoreSwitch(Host& host, const std::string& hold) {
  for (const auto& [name, value] : TRY(host.ledger.savedOriginals(hold))) {
    const auto written = sysctl::write(name, value);
    // ENOENT: the bridge no longer exists, nor its sysctl.
    if (!written && !written.failedWith(ENOENT)) return written;
  }
  return host.ledger.forgetOriginals(hold);
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
    TRY(host.ledger.saveOriginals(sharedState(), {{name, value}}));
    return sysctl::write(name, "1");
  }

  netlib::Result<> undo(Host& host) const override {
    TRY(restoreSwitch(host, sharedState()));
    const std::array element{bridges::elementOf(attachment_.bridge.name)};
    nft::Transaction transaction;
    transaction.deleteElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
    return netlib::ignoring(ENOENT, transaction.commit(host.netfilter));
  }

  netlib::Result<> verify(Host& host) const override {
    const auto element = bridges::elementOf(attachment_.bridge.name);
    if (!TRY(nft::findElement(host.netfilter, nat::tableOf(Family::Ipv4), nat::kBridges, element))) {
      return broken(name() + ": the bridge is missing in the nf_tables set bridges");
    }
    const auto value = sysctl::read(sysctlOf(attachment_));
    if (value.failedWith(ENOENT)) return broken(name() + ": the bridge is gone");
    if (!value) return netlib::fail(value.error());
    return *value == "1" ? netlib::Result<>{}
                         : netlib::Result<>{broken(name() + ": " + sysctlOf(attachment_) + " is off")};
  }
};

}  // namespace

StepPointer routeLocalnet(const Attachment& attachment) { return std::make_unique<const RouteLocalnet>(attachment); }

}  // namespace pons
