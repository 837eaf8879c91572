// Kernel parameters below /proc/sys. Those below net/ belong to the network namespace of the calling thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_address.h"

/// Names are separated by '/' as in "net/ipv4/ip_forward": an interface name may contain '.'. ENOENT: no such parameter
/// (all of net/ipv6 on a kernel without IPv6). Invalid: a name with "..", "." or empty components.
namespace netlib::sysctl {

/// "net/ipv4/conf/<interface>/<key>", or of ipv6; `interface` may be "all" or "default".
std::string ofInterface(Family family, const IfName& interface, std::string_view key);

/// "net.ipv4.ip_forward", as sysctl(8) prints it; with '/', which it accepts as well, where an interface name has a
/// '.'.
std::string dotted(std::string name);

/// The kernel prints tabs between the numbers of one parameter; configurations have spaces.
std::string withSpaces(std::string value);

/// The value without surrounding white space.
Result<std::string> read(const std::string& name);

/// Success as well where setting is refused (EROFS, EACCES, EPERM) but the parameter has the value. Otherwise the error
/// then has the value that it has, and what to do.
Result<> write(const std::string& name, const std::string& value);

/// True where write() failed and would fail again: /proc/sys is mounted read-only, as in most containers (EROFS), or
/// the parameter is of another user namespace, or read-only for all, or a security module refuses it (EACCES).
bool isUnsettable(const Result<>& written);

/// The names in a directory such as "net/ipv4/conf", sorted.
Result<std::vector<std::string>> entries(const std::string& directory);

}  // namespace netlib::sysctl
