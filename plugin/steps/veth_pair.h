// The container's interface and its other end, a port of the bridge.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class VethPair final : public Step {
 public:
  explicit VethPair(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
