// ponsctl gc: the orphans, and which of them were deleted.
#pragma once

#include "plugin/ctl/orphans.h"
#include "plugin/ctl/terminal.h"

namespace pons::ctl {

std::string gcText(const Orphans& orphans, const Terminal& terminal);
std::string gcJson(const Orphans& orphans);

}  // namespace pons::ctl
