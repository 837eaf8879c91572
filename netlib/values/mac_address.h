// An Ethernet address as a value.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace netlib {

class MacAddress {
 public:
  using Bytes = std::array<std::uint8_t, 6>;

  explicit constexpr MacAddress(const Bytes& bytes) : bytes_(bytes) {}

  /// Six pairs of hex digits separated by ':' or '-'; nothing otherwise.
  static std::optional<MacAddress> parse(std::string_view text);

  const Bytes& bytes() const { return bytes_; }

  /// Neither a group address nor all zero: the kernel's is_valid_ether_addr().
  bool isUsable() const { return (bytes_[0] & 1) == 0 && bytes_ != Bytes{}; }

  /// Lower case, separated by ':'.
  std::string toString() const;

  friend auto operator<=>(const MacAddress&, const MacAddress&) = default;

 private:
  Bytes bytes_;
};

}  // namespace netlib
