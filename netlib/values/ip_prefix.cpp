#include "netlib/values/ip_prefix.h"

#include <charconv>

namespace netlib {

std::optional<IpPrefix> IpPrefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;

  // Stricter than from_chars(): no sign, no leading zeros.
  const std::string_view digits = text.substr(slash + 1);
  if (digits.empty() || digits.size() > 3 || digits.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  if (digits.size() > 1 && digits.front() == '0') return std::nullopt;
  int length = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), length);

  const auto address = IpAddress::parse(text.substr(0, slash));
  return address ? of(*address, length) : std::nullopt;
}

std::optional<IpPrefix> IpPrefix::of(const IpAddress& address, int length) {
  if (length < 0 || length > bitsOf(address.family())) return std::nullopt;
  return IpPrefix{address, length};
}

Uint128 IpPrefix::hostMask() const {
  const int hostBits = bitsOf(family()) - length_;
  return hostBits == 128 ? ~Uint128{0} : (Uint128{1} << hostBits) - 1;
}

IpAddress IpPrefix::first() const { return IpAddress::fromNumber(family(), address_.number() & ~hostMask()); }

IpAddress IpPrefix::last() const { return IpAddress::fromNumber(family(), address_.number() | hostMask()); }

bool IpPrefix::contains(const IpAddress& address) const {
  return address.family() == family() && first() <= address && address <= last();
}

bool IpPrefix::overlaps(const IpPrefix& other) const { return contains(other.first()) || other.contains(first()); }

}  // namespace netlib
