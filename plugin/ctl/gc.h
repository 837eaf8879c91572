// ponsctl gc: the orphans, and which of them were deleted.
#pragma once

#include "plugin/ctl/orphans.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

std::string gcJson(const Orphans& orphans);
std::string gcText(const json::Value& root, const Terminal& terminal);

}  // namespace pons::ctl
