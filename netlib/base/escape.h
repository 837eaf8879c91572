// Percent-encoding of bytes that are not printable ASCII: interface names and paths are bytes to the kernel, JSON is
// UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace netlib {

std::string escaped(std::string_view bytes);

/// The inverse; nothing if a '%' is not followed by two hexadecimal digits.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace netlib
