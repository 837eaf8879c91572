// pons gc: what was found, and what became of it.
#pragma once

#include "plugin/ctl/garbage.h"
#include "plugin/ctl/screen.h"

namespace pons::tools {

std::string gcText(const Collection& collection, const Screen& screen);
std::string gcJson(const Collection& collection);

}  // namespace pons::tools
