#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

using netlib::nft::TableFamily;

enum class Others : bool { All, Staying };

/// The attachment's addresses at the ports of the container's other interfaces, and theirs at its port. Without those
/// whose DEL has begun (Staying), as in a rebuild.
netlib::Result<tables::Elements> elementsWith(Others others, Host& host, const Attachment& attachment) {
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
    if (!other || !*other) continue;  // deleted meanwhile, or unreadable
    if (others == Others::Staying && (*other)->state == RecordState::Deleting) continue;
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
    // Held until they are written: another interface that leaves meanwhile would not find them.
    const auto hostLock = TRY(host.ledger.lockHost());
    const auto elements = TRY(elementsWith(Others::Staying, host, attachment_));
    return tables::commit(host, hostLock, attachment_,
                          [&](nft::Transaction& transaction) { tables::addElements(transaction, elements); });
  }

  netlib::Result<> leave(Host& host) const override {
    return tables::removeElements(host, TRY(elementsWith(Others::All, host, attachment_)));
  }

  // For the last interface there is nothing left.
  netlib::Result<> undo(Host&) const override { return {}; }

  netlib::Result<Differences> verify(Host& host) const override {
    const tables::Elements elements = TRY(elementsWith(Others::Staying, host, attachment_));
    return tables::differencesOf(host,
                                 [&](nft::Transaction& transaction) { tables::addElements(transaction, elements); });
  }

  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }
};

}  // namespace

StepPointer guardedInterfaces(const Attachment& attachment) {
  return std::make_unique<const GuardedInterfaces>(attachment);
}

}  // namespace pons
