#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

tables::Elements elementsOf(const Attachment& attachment) {
  tables::Elements elements;
  for (const auto family : {tables::TableFamily::Ipv4, tables::TableFamily::Ipv6}) {
    elements[{family, bridges::kInternalPairs}] = {bridges::pairOf(routedLink(attachment))};
    elements[{family, bridges::kInternalBridges}] = {bridges::elementOf(routedLink(attachment))};
  }
  return elements;
}

class BridgeInternal final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "no forwarding to or from bridge " + routedLink(attachment_).toString(); }
  std::string sharedState() const override { return shared_state::internal(attachment_); }

  netlib::Result<> apply(Host& host) const override {
    return tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
      for (const auto& [set, some] : elementsOf(attachment_)) {
        transaction.addElements(tables::tableOf(set.first), set.second, some);
      }
    });
  }

  netlib::Result<> undo(Host& host) const override { return tables::removeElements(host, elementsOf(attachment_)); }

  netlib::Result<Differences> verify(Host& host) const override {
    return tables::differencesOf(
        host, [&](nft::Transaction& transaction) { tables::addElements(transaction, elementsOf(attachment_)); });
  }

  // tables::commit() rebuilds missing tables only, not one whose chain lost its drop rule.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }
};

}  // namespace

StepPointer bridgeInternal(const Attachment& attachment) { return std::make_unique<const BridgeInternal>(attachment); }

}  // namespace pons
