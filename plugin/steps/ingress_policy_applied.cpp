#include <array>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::array kFamilies{Family::Ipv4, Family::Ipv6};

/// The last ADD decides: networks that share a bridge must have the same policy.
class IngressPolicyApplied final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "ingress policy of bridge " + attachment_.bridge.name.toString(); }
  std::string sharedState() const override { return shared_state::ingress(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    for (const Family family : kFamilies) TRY(apply(host, family));
    return {};
  }

  netlib::Result<> undo(Host& host) const override {
    tables::Elements elements;
    for (const Family family : kFamilies) {
      const nft::Table table = nat::tableOf(family);
      elements[{table.family, bridges::kPolicyBridges}] = {bridges::elementOf(attachment_.bridge.name)};
      elements[{table.family, bridges::kSameBridgeOk}] = {bridges::pairOf(attachment_.bridge.name)};
    }
    return tables::removeElements(host, elements);
  }

  netlib::Result<> verify(Host& host) const override {
    for (const Family family : kFamilies) TRY(verify(host, family));
    return {};
  }

  // tables::commit() rebuilds missing tables only, not one whose chain lost its drop rule.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  bool isSameBridgeOk() const { return attachment_.ingress == IngressPolicy::SameBridge; }

  netlib::Result<> apply(Host& host, Family family) const {
    const nft::Table table = nat::tableOf(family);
    const std::array bridge{bridges::elementOf(attachment_.bridge.name)};
    const std::array pair{bridges::pairOf(attachment_.bridge.name)};
    TRY(tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
      if (isSameBridgeOk()) transaction.addElements(table, bridges::kSameBridgeOk, pair);
      transaction.addElements(table, bridges::kPolicyBridges, bridge);
    }));
    if (isSameBridgeOk() || !TRY(nft::findElement(host.netfilter, table, bridges::kSameBridgeOk, pair.front()))) {
      return {};
    }
    return tables::removeElements(host, {{{table.family, bridges::kSameBridgeOk}, {pair.begin(), pair.end()}}});
  }

  netlib::Result<> verify(Host& host, Family family) const {
    const nft::Table table = nat::tableOf(family);
    const auto bridge = bridges::elementOf(attachment_.bridge.name);
    if (!TRY(nft::findElement(host.netfilter, table, bridges::kPolicyBridges, bridge))) {
      return broken(name() + ": the bridge is missing in the nf_tables set " + bridges::kPolicyBridges);
    }
    const auto pair = bridges::pairOf(attachment_.bridge.name);
    const bool isInSet = TRY(nft::findElement(host.netfilter, table, bridges::kSameBridgeOk, pair)).has_value();
    if (isInSet == isSameBridgeOk()) return {};
    return broken(name() + ": its containers are " + (isInSet ? "not isolated" : "isolated") + " in nf_tables");
  }
};

}  // namespace

StepPointer ingressPolicyApplied(const Attachment& attachment) {
  return std::make_unique<const IngressPolicyApplied>(attachment);
}

}  // namespace pons
