// The container's veth as a port of the bridge: from here on frames pass.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class BridgePort final : public Step {
 public:
  explicit BridgePort(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
