// Virtual LANs of IEEE 802.1Q.
#pragma once

#include <cstdint>

namespace netlib {

/// 1..4094: the standard reserves 0 and 4095.
using VlanId = std::uint32_t;
inline constexpr VlanId kMaxVlanId = 4094;

/// Consecutive VLANs, both ends included; first <= last.
struct VlanRange {
  VlanId first;
  VlanId last;

  friend bool operator==(const VlanRange&, const VlanRange&) = default;
};

}  // namespace netlib
