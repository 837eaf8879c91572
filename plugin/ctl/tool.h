// What pons does when a person calls it with arguments, instead of a runtime with CNI_COMMAND.
#pragma once

#include "plugin/cni/environment.h"
#include "plugin/verbs/serve.h"

namespace pons::tools {

/// Exit codes: 0, all is well or was mended; 1, something is broken or failed; 2, the arguments cannot be understood.
Answer runTool(int argc, const char* const* argv, const cni::Environment& environment);

}  // namespace pons::tools
