// pons list: the attachments of all networks, one a line.
#pragma once

#include "plugin/ctl/screen.h"
#include "plugin/ctl/stock.h"

namespace pons::tools {

std::string listText(const std::vector<Item>& stock, const Screen& screen);
std::string listJson(const std::vector<Item>& stock);

}  // namespace pons::tools
