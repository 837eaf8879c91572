#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

using netlib::nft::TableFamily;

/// The attachment's addresses at the ports of the container's other interfaces, and theirs at its port.
netlib::Result<tables::Elements> elementsWithOthers(Host& host, const Attachment& attachment) {
  tables::Elements elements;
  const auto add = [&elements](const Attachment& one, const Attachment& other) {
    for (const auto& [set, some] : guard::elementsBetween(one, other)) {
      auto& all = elements[{TableFamily::Bridge, set}];
      all.insert(all.end(), some.begin(), some.end());
    }
  };
  for (const AttachmentKey& key : TRY(host.ledger.referencesTo(shared_state::guardedContainer(attachment.key)))) {
    if (key == attachment.key) continue;
    const auto other = host.ledger.snapshot(key);
    if (!other || !*other) continue;  // being deleted, or unreadable
    add(attachment, (*other)->attachment);
    add((*other)->attachment, attachment);
  }
  return elements;
}

class GuardedInterfaces final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "spoof guard across the container's interfaces"; }
  std::string sharedState() const override { return shared_state::guardedContainer(attachment_.key); }

  netlib::Result<> apply(Host& host) const override {
    if (!host.ledger.hadReferences(sharedState())) return {};
    const auto elements = TRY(elementsWithOthers(host, attachment_));
    return tables::commit(host, attachment_,
                          [&](nft::Transaction& transaction) { tables::addElements(transaction, elements); });
  }

  netlib::Result<> leave(Host& host) const override {
    return tables::removeElements(host, TRY(elementsWithOthers(host, attachment_)));
  }

  // For the last interface there is nothing left.
  netlib::Result<> undo(Host&) const override { return {}; }

  netlib::Result<> verify(Host& host) const override {
    for (const auto& [set, elements] : TRY(elementsWithOthers(host, attachment_))) {
      for (const nft::Element& expected : elements) {
        if (TRY(nft::findElement(host.netfilter, guard::table(), set.second, expected))) continue;
        return broken("spoof guard: an address of the container is missing at port " + guard::portOf(expected) +
                      " in the nf_tables set " + set.second + " of table bridge pons");
      }
    }
    return {};
  }

  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }
};

}  // namespace

StepPointer guardedInterfaces(const Attachment& attachment) {
  return std::make_unique<const GuardedInterfaces>(attachment);
}

}  // namespace pons
