// The plan of an ADD for an example container.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/ctl/explain.h"

namespace pons::ctl {

/// Adds the plan and its assumptions to `plugin`. The request is one of type "pons" or "bridge".
void addPlan(ExplainedPlugin& plugin, const cni::Request& request);

}  // namespace pons::ctl
