// What containers send from their subnet comes to the subnet's chain, where published ports that they use themselves
// are masqueraded, and each container goes on to the chain of its own network.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class SourceSubnet final : public Step {
 public:
  SourceSubnet(const Attachment& attachment, const netlib::IpPrefix& subnet)
      : attachment_(attachment), subnet_(subnet) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
  netlib::IpPrefix subnet_;
};

}  // namespace pons
