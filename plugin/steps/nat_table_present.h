// The nf_tables skeleton that SourceNatPresent and PortForwards put their elements into.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class NatTablePresent final : public Step {
 public:
  explicit NatTablePresent(netlib::Family family) : family_(family) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  netlib::Family family_;
};

}  // namespace pons
