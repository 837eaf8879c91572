// Interface names and paths are bytes to the kernel, JSON is UTF-8: what is not printable ASCII is written as %xx.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace netlib {

std::string escaped(std::string_view bytes);

/// The bytes again; nothing where a '%' is not followed by two hexadecimal digits.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace netlib
