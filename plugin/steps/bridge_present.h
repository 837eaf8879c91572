// The bridge is there, up, with a MAC of its own. Made where it is missing; another's bridge is used as it is.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class BridgePresent final : public Step {
 public:
  explicit BridgePresent(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
