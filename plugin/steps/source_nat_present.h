// The chain by which what the network's containers send out of their subnets gets an address of the host. Which of
// them go there is each one's own (see OwnEntries).
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class SourceNatPresent final : public Step {
 public:
  SourceNatPresent(const Attachment& attachment, const SourceNat& nat) : attachment_(attachment), nat_(nat) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
  const SourceNat& nat_;
};

}  // namespace pons
