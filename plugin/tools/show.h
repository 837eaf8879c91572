// pons show: everything about one container.
#pragma once

#include "plugin/tools/facts.h"
#include "plugin/tools/screen.h"

namespace pons::tools {

struct Shown {
  Item item;
  Facts facts;
};

std::string showText(const std::vector<Shown>& shown, const Screen& screen);
std::string showJson(const std::vector<Shown>& shown);

}  // namespace pons::tools
