// What an ADD would do, for a container that nobody has.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/ctl/explain.h"

namespace pons::tools {

/// Puts the plan, and what it assumes of the container, into the plugin. The request is of a plugin that makes the
/// network itself.
void addPlan(ExplainedPlugin& plugin, const cni::Request& request);

}  // namespace pons::tools
