#include <algorithm>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/table_content.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

class NftElements final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override {
    std::string name;
    const auto append = [&name](const char* part) { name += (name.empty() ? "" : ", ") + std::string{part}; };
    if (!attachment_.forwards.empty()) append("published ports");
    if (std::ranges::any_of(attachment_.sourceNats, &SourceNat::masquerade)) append("masquerade");
    if (attachment_.guard != SpoofGuard::None) append("spoof guard");
    if (attachment_.egress) append("egress policy");
    return name;
  }

  // A rebuild of the tables, by a step before this one or by another process, adds them from the record.
  bool comesWithClaim() const override { return true; }

  netlib::Result<> apply(Host& host) const override {
    if (attachment_.egress && attachment_.onDeny == OnDeny::Reject && !egress::rejects(attachment_)) {
      host.note("denied-silently", "egressPolicy drops what it denies: to reject it needs Linux 5.9");
    }
    auto added = tables::add(host, attachment_);
    if (added.failedWith(EEXIST) || added.failedWith(ENOTEMPTY)) {
      const auto hostLock = TRY(host.ledger.lockHost());
      added = tables::replace(host, hostLock, attachment_);
    }
    return added;
  }

  netlib::Result<> undo(Host& host) const override {
    const bool shared = !attachment_.forwards.empty() && TRY(host.ledger.sharesPorts(attachment_.key.container));
    if (!shared) return tables::remove(host, attachment_);
    const auto hostLock = TRY(host.ledger.lockHost());
    return tables::handOver(host, hostLock, attachment_);
  }

  netlib::Result<Differences> verify(Host& host) const override { return tables::differencesOfOwn(host, attachment_); }

  // In one transaction: between the removal and the new policy packets would pass.
  netlib::Result<> repair(Host& host) const override { return tables::rebuild(host, attachment_); }
};

}  // namespace

StepPointer nftElements(const Attachment& attachment) { return std::make_unique<const NftElements>(attachment); }

}  // namespace pons
