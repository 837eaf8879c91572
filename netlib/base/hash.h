// Short stable names for long keys: FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). Not resistant to
// deliberate collisions: the keys come from the host's administrator.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace netlib {

/// Names in the kernel and in the ledger depend on this value: it must not change.
constexpr std::uint64_t hashOf(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

/// The lowest `digits` (1 to 16) hexadecimal digits, lower case, with leading zeros.
inline std::string hexDigits(std::uint64_t number, int digits) {
  std::string text(static_cast<std::size_t>(digits), '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, number >>= 4)
    *digit = "0123456789abcdef"[number & 0xf];
  return text;
}

}  // namespace netlib
