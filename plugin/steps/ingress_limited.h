// Containers of other bridges with an ingress policy, and of this one where it isolates, begin no connection to this
// bridge's. The outside, published ports and bridges without a policy do, and the bridge port's own isolation stops
// what never comes to the IP layer.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

/// The latest ADD decides for its bridge: two networks that share one must have the same policy.
class IngressLimited final : public Step {
 public:
  explicit IngressLimited(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  std::string hold() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  netlib::Result<> apply(Host& host, netlib::Family family) const;
  netlib::Result<> verify(Host& host, netlib::Family family) const;

  const Attachment& attachment_;
};

}  // namespace pons
