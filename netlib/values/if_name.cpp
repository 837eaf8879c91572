#include "netlib/values/if_name.h"

#include <algorithm>

namespace netlib {

namespace {

constexpr std::size_t kMaxLength = 15;  // IFNAMSIZ less its terminator

bool isForbidden(char c) {
  // The kernel accepts control characters, but tools do not display them as they are. It takes "%d" for the next free
  // number (dev_alloc_name()), and no other '%'.
  return c == '/' || c == ':' || c == '%' || static_cast<unsigned char>(c) <= ' ' || c == '\x7f';
}

}  // namespace

std::optional<IfName> IfName::parse(std::string_view text) {
  if (text.empty() || text.size() > kMaxLength || text == "." || text == "..") return std::nullopt;
  if (std::ranges::any_of(text, isForbidden)) return std::nullopt;
  return IfName{text};
}

}  // namespace netlib
