// The container's interface and namespace have the settings that somebody tuned.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

/// The settings that `wanted` names, as they are now; of the same shape. ENOENT where the kernel lacks a sysctl.
netlib::Result<Tuning> currentTuning(Container& container, const netlib::IfName& ifName, const Tuning& wanted);

class ContainerTuned final : public Step {
 public:
  /// `attachment.tuning` and `attachment.untuned` are there.
  explicit ContainerTuned(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  bool isInside() const override { return true; }
  netlib::Result<> verify(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
