// The spoof guard knows all addresses that a container has in one network, at the port of each of its interfaces there.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class GuardedInterfaces final : public Step {
 public:
  explicit GuardedInterfaces(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> leave(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
