// The host forwards packets of a family while an attachment needs it.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class ForwardingHeld final : public Step {
 public:
  explicit ForwardingHeld(netlib::Family family) : family_(family) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  netlib::Family family_;
};

}  // namespace pons
