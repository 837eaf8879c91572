// pons show: everything about one container.
#pragma once

#include "plugin/ctl/facts.h"
#include "plugin/ctl/screen.h"

namespace pons::tools {

struct Shown {
  Item item;
  Facts facts;
};

std::string showText(const std::vector<Shown>& shown, const Screen& screen);
std::string showJson(const std::vector<Shown>& shown);

}  // namespace pons::tools
