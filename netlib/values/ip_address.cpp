#include "netlib/values/ip_address.h"

#include <algorithm>

#include <arpa/inet.h>

namespace netlib {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated{text};
  if (terminated.size() != std::char_traits<char>::length(terminated.c_str())) return std::nullopt;

  std::array<std::uint8_t, 16> bytes{};
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return fromBytes(std::span(bytes).first(4));
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) != 1) return std::nullopt;

  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::ranges::equal(std::span(bytes).first(12), kMapped)) return fromBytes(std::span(bytes).last(4));
  return fromBytes(bytes);
}

std::optional<IpAddress> IpAddress::fromBytes(std::span<const std::uint8_t> bytes) {
  if (bytes.size() != 4 && bytes.size() != 16) return std::nullopt;
  IpAddress address;
  address.family_ = bytes.size() == 4 ? Family::Ipv4 : Family::Ipv6;
  std::ranges::copy(bytes, address.bytes_.begin());
  return address;
}

IpAddress IpAddress::fromNumber(Family family, Uint128 number) {
  IpAddress address;
  address.family_ = family;
  for (int i = bitsOf(family) / 8 - 1; i >= 0; --i, number >>= 8) {
    address.bytes_.at(static_cast<std::size_t>(i)) = static_cast<std::uint8_t>(number);
  }
  return address;
}

Uint128 IpAddress::number() const {
  Uint128 number = 0;
  for (const std::uint8_t byte : bytes()) number = number << 8 | byte;
  return number;
}

bool IpAddress::isLoopback() const { return isIpv4() ? bytes_[0] == 127 : number() == 1; }

bool IpAddress::isMulticast() const { return isIpv4() ? bytes_[0] >> 4 == 0xe : bytes_[0] == 0xff; }

bool IpAddress::isLinkLocal() const {
  return isIpv4() ? bytes_[0] == 169 && bytes_[1] == 254 : bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

std::string IpAddress::toString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(static_cast<int>(family_), bytes_.data(), text.data(), text.size());
  return text.data();
}

}  // namespace netlib
