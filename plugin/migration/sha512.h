// SHA-512 (FIPS 180-4), for the names that the reference plugins derive from a network and a container.
#pragma once

#include <string>
#include <string_view>

namespace pons {

/// The digest as 128 lower-case hex digits.
std::string sha512(std::string_view text);

}  // namespace pons
