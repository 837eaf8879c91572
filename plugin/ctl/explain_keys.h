// What the keys of a configuration do, in words.
#pragma once

#include <string>
#include <string_view>

#include "plugin/cni/applet.h"

namespace pons::tools {

/// `isOff`: the value is false. Empty for a key of which nothing is written here.
std::string_view effectOf(cni::Applet applet, std::string_view key, bool isOff);

/// The key that was perhaps meant: one that is known and written nearly like it; empty where there is none.
std::string_view similarTo(cni::Applet applet, std::string_view key);

}  // namespace pons::tools
