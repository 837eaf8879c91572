// Values of options: each function returns why one is refused, and an empty string if it is not.
#pragma once

#include <string>

namespace pons::ctl {

/// CLI::Range would accept "nan".
std::string refuseTimeout(const std::string& text);

std::string refuseMissingDirectory(const std::string& path);

}  // namespace pons::ctl
