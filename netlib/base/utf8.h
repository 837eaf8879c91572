// Bytes from outside as UTF-8: for JSON, and for terminals.
#pragma once

#include <string>
#include <string_view>

namespace netlib {

/// Every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
std::string asUtf8(std::string_view text);

/// On one line and without terminal escape sequences: line breaks as \n, other control characters (including C1) and
/// bytes that are not UTF-8 as \x and two hexadecimal digits.
std::string printable(std::string_view text);

/// A JSON string, quotes included. Quotes, backslashes and control characters (including C1) are escaped; bytes that
/// are not UTF-8 are replaced as by asUtf8().
std::string quoted(std::string_view text);

}  // namespace netlib
