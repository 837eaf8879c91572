// What nf_tables has of this container alone: host ports lead to it, what it sends is looked at and masqueraded. What
// it has together with others there (see tables::sharedElementsOf) comes in the same transaction.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class OwnEntries final : public Step {
 public:
  explicit OwnEntries(const Attachment& attachment) : attachment_(attachment) {}

  /// False where there is nothing of the kind.
  static bool areNeeded(const Attachment& attachment);

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  netlib::Result<> verifyForwards(Host& host) const;
  netlib::Result<> verifyMasquerade(Host& host) const;
  netlib::Result<> verifyGuard(Host& host) const;
  netlib::Result<> verifyEgress(Host& host, netlib::Family family) const;

  const Attachment& attachment_;
};

}  // namespace pons
