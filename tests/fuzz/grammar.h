// Configurations by the key table: a document that has only its keys, most of them with values of their kind and near
// the limits of their ranges.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "plugin/cni/applet.h"

namespace fuzz {

/// A number below the bound, which is at least 1.
using Choose = std::function<std::size_t(std::size_t bound)>;

/// A configuration of version 1.1.0 with a name and "ipam", and with any of the applet's other keys.
std::string configuration(pons::cni::Applet applet, const Choose& choose);

/// The document with one member of its top level made anew, added or removed. Another configuration where the text is
/// none.
std::string mutated(pons::cni::Applet applet, std::string_view document, const Choose& choose);

}  // namespace fuzz
