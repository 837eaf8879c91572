// The neighbours on the bridge know the container's addresses.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class NeighboursTold final : public Step {
 public:
  explicit NeighboursTold(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
