#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

class TablesPresent final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "tables pons of nf_tables"; }
  std::string sharedState() const override { return shared_state::tables(); }

  // Nothing to do: a transaction for which a table is missing rebuilds it (tables::commit).
  netlib::Result<> apply(Host&) const override { return {}; }

  // Of all families: another attachment may have needed the others.
  netlib::Result<> undo(Host& host) const override { return tables::removeAll(host); }

  netlib::Result<> verify(Host& host) const override {
    for (const auto family : tables::familiesOf(attachment_)) {
      const auto missing = TRY(tables::missingPart(host, family));
      if (missing)
        return broken(std::string{"table "} + tables::nameOf(family) + " pons of nf_tables: " + *missing +
                      " is missing or has lost rules");
    }
    return {};
  }

  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }
};

}  // namespace

StepPointer tablesPresent(const Attachment& attachment) { return std::make_unique<const TablesPresent>(attachment); }

}  // namespace pons
