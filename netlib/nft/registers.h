// The registers of nf_tables during the evaluation of a rule for a packet of which not all is known. Only for
// netlib/nft/*.cpp.
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include <linux/netfilter/nf_tables.h>

#include "netlib/values/packet_filter.h"

namespace netlib::nft {

struct Byte {
  std::uint8_t value = 0;
  std::uint8_t known = 0;    ///< the bits that are
  bool ofInterface = false;  ///< of the packet's interfaces or addresses
};
using Bytes = std::span<const Byte>;

inline std::vector<Byte> knownBytes(std::span<const std::uint8_t> values, bool ofInterface = false) {
  std::vector<Byte> bytes;
  for (const std::uint8_t value : values) bytes.push_back({value, 0xff, ofInterface});
  return bytes;
}

/// Only the first wanted.size() bytes are compared.
inline filter::Match equals(Bytes have, std::span<const std::uint8_t> wanted) {
  if (have.size() < wanted.size()) return filter::Match::Unknown;
  filter::Match match = filter::Match::Yes;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (((have[i].value ^ wanted[i]) & have[i].known) != 0) return filter::Match::No;
    if (have[i].known != 0xff) match = filter::Match::Unknown;
  }
  return match;
}

inline bool allKnown(Bytes bytes) {
  return std::ranges::all_of(bytes, [](const Byte& byte) { return byte.known == 0xff; });
}

/// As memcmp(3); nothing if that depends on unknown bytes.
inline std::optional<int> compare(Bytes have, std::span<const std::uint8_t> with) {
  if (have.size() < with.size() || !allKnown(have.first(with.size()))) return std::nullopt;
  for (std::size_t i = 0; i < with.size(); ++i) {
    if (have[i].value != with[i]) return have[i].value < with[i] ? -1 : 1;
  }
  return 0;
}

class Registers {
 public:
  /// As the kernel numbers them: NFT_REG_1 and on of 16 bytes, NFT_REG32_00 and on of 4. Fewer bytes at the end.
  Bytes at(std::uint32_t number, std::size_t length) const {
    const std::size_t offset = std::min(offsetOf(number), bytes_.size());
    return Bytes{bytes_}.subspan(offset, std::min(length, bytes_.size() - offset));
  }

  /// The kernel pads with zeros to a multiple of 4 bytes.
  void load(std::uint32_t number, std::vector<Byte> bytes) {
    while (bytes.size() % NFT_REG32_SIZE != 0) bytes.push_back({0, 0xff});
    const std::size_t offset = offsetOf(number);
    for (std::size_t i = 0; i < bytes.size() && offset + i < bytes_.size(); ++i) bytes_.at(offset + i) = bytes.at(i);
  }

  void forgetAll() { bytes_.fill({}); }

 private:
  static std::size_t offsetOf(std::uint32_t number) {
    if (number >= NFT_REG32_00) return std::size_t{number - NFT_REG32_00} * NFT_REG32_SIZE;
    return number == NFT_REG_VERDICT ? kSize : std::size_t{number - NFT_REG_1} * NFT_REG_SIZE;
  }

  static constexpr std::size_t kSize = 64;
  std::array<Byte, kSize> bytes_{};
};

}  // namespace netlib::nft
