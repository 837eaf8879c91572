// The nf_tables skeletons that other steps put their chains and elements into.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class TablesPresent final : public Step {
 public:
  explicit TablesPresent(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
