// From an Attachment to the steps that provide it.
#pragma once

#include <vector>

#include "plugin/steps/step.h"

namespace pons {

using Plan = std::vector<StepPointer>;

/// In the order in which ADD applies them: IPAM first, then what attachments share, then what is this one's alone.
/// `attachment` must outlive the plan and keep its address.
Plan planFor(const Attachment& attachment);

/// The IPAM part of it.
Plan ipamPlanFor(const Attachment& attachment);

}  // namespace pons
