// pons list: the attachments of all networks, one a line.
#pragma once

#include "plugin/tools/screen.h"
#include "plugin/tools/stock.h"

namespace pons::tools {

std::string listText(const std::vector<Item>& stock, const Screen& screen);
std::string listJson(const std::vector<Item>& stock);

}  // namespace pons::tools
