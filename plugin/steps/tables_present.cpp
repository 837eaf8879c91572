#include "plugin/firewall/table_content.h"
#include "plugin/model/link_alias.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

class TablesPresent final : public AttachmentStep {
 public:
  TablesPresent(const Attachment& attachment, netlib::nft::TableFamily family)
      : AttachmentStep(attachment), family_(family) {}

  std::string name() const override { return std::string{"table "} + tables::nameOf(family_) + " pons of nf_tables"; }
  std::string sharedState() const override { return shared_state::tables(tables::nameOf(family_)); }

  // Nothing to do: a transaction for which a table or a part is missing adds it (tables::commit).
  netlib::Result<> apply(Host&) const override { return {}; }

  netlib::Result<> undo(Host& host) const override { return tables::removeTable(host, family_); }

  netlib::Result<Differences> verify(Host& host) const override {
    // Those that other attachments need, or needed: some rules of a chain come with a part.
    tables::Parts parts = TRY(tables::presentParts(host.netfilter, family_));
    parts.merge(tables::partsOf(attachment_)[family_]);
    Differences found = TRY(tables::differencesOf(
        host, [&](netlib::nft::Transaction& transaction) { tables::appendSkeleton(transaction, family_, parts); }));
    const auto owner = TRY(tables::ownerOf(host, family_));
    if (owner && !owner->isOurs) {
      found.push_back({.what = "state directory of " + name(),
                       .expected = host.ledger.path(),
                       .actual = stateDirOf(owner->ledger).value_or(owner->ledger),
                       .remedy = Remedy::ChangeConfiguration});
    } else if (!owner && found.empty()) {
      found.push_back(missing("state directory of " + name() + " in map ledger"));
    }
    return found;
  }

  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }

 private:
  netlib::nft::TableFamily family_;
};

}  // namespace

StepPointer tablesPresent(const Attachment& attachment, netlib::nft::TableFamily family) {
  return std::make_unique<const TablesPresent>(attachment, family);
}

}  // namespace pons
