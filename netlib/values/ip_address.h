// An IPv4 or IPv6 address as a value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <sys/socket.h>

namespace netlib {

__extension__ using Uint128 = unsigned __int128;

/// The numbers are the kernel's, ready for ifa_family and nfgen_family.
enum class Family : std::uint8_t { Ipv4 = AF_INET, Ipv6 = AF_INET6 };

/// Length of the family's addresses in bits: 32 or 128.
constexpr int bitsOf(Family family) { return family == Family::Ipv4 ? 32 : 128; }
constexpr std::string_view nameOf(Family family) { return family == Family::Ipv4 ? "IPv4" : "IPv6"; }

/// Ordered by family, then as a number.
class IpAddress {
 public:
  /// Strict: four decimal octets without leading zeros, or RFC 4291 without a zone. An IPv4-mapped IPv6
  /// address gives the IPv4 address. Nothing for any other string.
  static std::optional<IpAddress> parse(std::string_view text);

  /// 4 or 16 bytes in network byte order; nothing for any other length.
  static std::optional<IpAddress> fromBytes(std::span<const std::uint8_t> bytes);
  static IpAddress fromNumber(Family family, Uint128 number);

  /// 0.0.0.0 or ::
  static IpAddress unspecified(Family family) { return fromNumber(family, 0); }

  Family family() const { return family_; }
  bool isIpv4() const { return family_ == Family::Ipv4; }

  /// 4 or 16 bytes in network byte order, owned by this object.
  std::span<const std::uint8_t> bytes() const { return {bytes_.data(), static_cast<std::size_t>(bitsOf(family_) / 8)}; }
  Uint128 number() const;

  bool isUnspecified() const { return number() == 0; }
  bool isLoopback() const;
  bool isMulticast() const;
  bool isLinkLocal() const;
  bool isBroadcast() const { return isIpv4() && number() == 0xffffffffU; }

  /// IPv6 in RFC 5952 form.
  std::string toString() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  IpAddress() = default;

  Family family_ = Family::Ipv4;
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace netlib
