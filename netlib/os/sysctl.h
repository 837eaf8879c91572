// Kernel parameters below /proc/sys. Those below net/ belong to the network namespace of the calling thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_address.h"

/// Parameters are named with '/' as in "net/ipv4/ip_forward": a '.' may be part of an interface's name. ENOENT where
/// the kernel has no such parameter (all of net/ipv6 on a kernel without IPv6); EINVAL for a name that leads elsewhere.
namespace netlib::sysctl {

/// "net/ipv4/conf/<interface>/<key>" or the same of ipv6; the interfaces "all" and "default" are the kernel's.
std::string ofInterface(Family family, const IfName& interface, std::string_view key);

/// The value without white space around it.
Result<std::string> read(const std::string& name);
Result<> write(const std::string& name, const std::string& value);

/// The names in a directory such as "net/ipv4/conf", sorted.
Result<std::vector<std::string>> entries(const std::string& directory);

}  // namespace netlib::sysctl
