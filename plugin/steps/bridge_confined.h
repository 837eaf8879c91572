// Nothing is forwarded out of the bridge, or into it: an internal network.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class BridgeConfined final : public Step {
 public:
  explicit BridgeConfined(const Attachment& attachment) : attachment_(attachment) {}

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
