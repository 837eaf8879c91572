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

/// IPv6 settings of a link by which the host routes to containers.
/// accept_ra off: a container must not become the host's router (CVE-2020-10749). accept_dad off: the link-local
/// address must be usable at once, as the kernel sends no neighbour solicitation for forwarded packets without one, and
/// the first container would be unreachable for two seconds. The settings end with the link. What cannot be set is
/// left: the spoof guard drops router advertisements of containers as well. Without IPv6 nothing is done.
netlib::Result<> setUpIpv6(Host& host, const netlib::IfName& link);

}  // namespace pons
