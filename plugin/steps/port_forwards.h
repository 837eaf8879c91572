// Host ports lead to the container.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class PortForwards final : public Step {
 public:
  explicit PortForwards(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  netlib::Result<> publish(Host& host) const;

  const Attachment& attachment_;
};

}  // namespace pons
