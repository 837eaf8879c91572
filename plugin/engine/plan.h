// From an Attachment to the steps that bring it about.
#pragma once

#include <memory>
#include <vector>

#include "plugin/steps/step.h"

namespace pons {

using Plan = std::vector<std::unique_ptr<const Step>>;

/// In the order in which ADD applies them: first what attachments share, then what is this one's alone. The steps refer
/// to `attachment`, which must stay where it is and live longer than the plan.
Plan planFor(const Attachment& attachment);

/// The part of it that tells others of the addresses.
Plan ipamPlanFor(const Attachment& attachment);

}  // namespace pons
