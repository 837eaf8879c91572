// Kernel parameters that containers work without.
#pragma once

#include <map>
#include <string>

#include "plugin/context/context.h"

namespace pons {

/// Sets parameters, by name, in the namespace of this thread. Those that cannot be set (sysctl::isUnsettable()) are
/// left as they are, and named in one line of the log. Skips those that do not exist: of a link that is gone, or of a
/// kernel without IPv6.
netlib::Result<> setWherePossible(Host& host, const std::map<std::string, std::string>& wanted);

}  // namespace pons
