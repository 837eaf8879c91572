// The container sends and receives no faster than it may: a token bucket on the host end of its veth for what goes to
// it, and one on an ifb, to which all that it sends is redirected first.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

/// For an attachment with `bandwidth`. Needs the host end to be there, whoever made it.
class BandwidthLimited final : public Step {
 public:
  explicit BandwidthLimited(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
