// The effects of configuration keys as text.
#pragma once

#include <string_view>

#include "plugin/cni/applet.h"

namespace pons::ctl {

/// The effect of a key, given by its path in the plugin's object; `isOff` if its value is false. Empty for a key that
/// has no text.
std::string_view effectOf(cni::Applet applet, std::string_view key, bool isOff);

/// The known key that is most similar to a misspelled one, see similarTo(); empty if there is none.
std::string_view similarKey(cni::Applet applet, std::string_view key);

}  // namespace pons::ctl
