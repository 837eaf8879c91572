// Inside the container: lo and the interface up, addresses and routes.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class ContainerAddresses final : public Step {
 public:
  explicit ContainerAddresses(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  bool isInside() const override { return true; }
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
