// Bytes from outside as text for people and for JSON.
#pragma once

#include <string>
#include <string_view>

namespace netlib {

/// Every byte that is not UTF-8 replaced by U+FFFD: a path or an environment variable may hold any byte, JSON may not.
std::string asUtf8(std::string_view text);

/// On one line, and without what a terminal would take for a command: line breaks as \n, other control characters (C1
/// ones, too) and bytes that are not UTF-8 as \x and two digits.
std::string printable(std::string_view text);

}  // namespace netlib
