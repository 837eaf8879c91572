// No tracked connection leads to or from the container's addresses once its link is gone; of an attachment whose
// addresses are another plugin's, none by a host port that it published.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

class NoStaleFlows final : public Step {
 public:
  explicit NoStaleFlows(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
