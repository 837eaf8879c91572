#include "netlib/values/mac_address.h"

#include <charconv>

namespace netlib {

std::optional<MacAddress> MacAddress::parse(std::string_view text) {
  constexpr std::size_t kLength = 17;
  if (text.size() != kLength || (text[2] != ':' && text[2] != '-')) return std::nullopt;

  Bytes bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::string_view pair = text.substr(i * 3, 2);
    const auto [end, error] = std::from_chars(pair.begin(), pair.end(), bytes.at(i), 16);
    if (error != std::errc{} || end != pair.end()) return std::nullopt;
    if (i > 0 && text[i * 3 - 1] != text[2]) return std::nullopt;
  }
  return MacAddress{bytes};
}

std::string MacAddress::toString() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes_) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

}  // namespace netlib
