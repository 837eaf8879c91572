// pons check: what of all that is on record is not there.
#pragma once

#include "plugin/ctl/screen.h"
#include "plugin/ctl/stock.h"

namespace pons::tools {

/// A state that several attachments share is told once, and then not what stands on it in each of them.
std::string checkText(const std::vector<Item>& stock, const Screen& screen);
std::string checkJson(const std::vector<Item>& stock);

}  // namespace pons::tools
