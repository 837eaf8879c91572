// Published IPv4 ports answer at the host's 127.0.0.1, and containers still cannot reach what listens there.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class LoopbackReachable final : public Step {
 public:
  explicit LoopbackReachable(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
