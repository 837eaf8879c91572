// A foreign IPAM plugin knows that the container has the addresses that it gave.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

/// Of an attachment with a DelegatedIpam. The addresses were given before the claim, which needs them.
class DelegatedAddresses final : public Step {
 public:
  explicit DelegatedAddresses(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  bool comesWithClaim() const override { return true; }
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
