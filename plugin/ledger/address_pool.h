// The addresses that a network may lease, and the selection of a free one. No I/O.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plugin/model/address_range.h"
#include "plugin/model/attachment.h"

namespace pons {

/// A uniform number in [0, bound); `bound` is at least 1.
using RandomBelow = std::function<netlib::Uint128(netlib::Uint128 bound)>;

/// Uses getrandom(2), without modulo bias.
netlib::Uint128 randomBelow(netlib::Uint128 bound);

/// The usable addresses of a range set: its ranges without network, broadcast, gateway and excluded addresses. The cost
/// of every operation depends on the number of ranges and exclusions, not on the number of addresses.
class AddressPool {
 public:
  AddressPool(RangeSet set, std::span<const netlib::IpPrefix> excluded);

  netlib::Uint128 size() const;
  /// 0 <= index < size(); ranges in the given order, each ascending.
  netlib::IpAddress nth(netlib::Uint128 index) const;
  bool contains(const netlib::IpAddress& address) const { return indexOf(address).has_value(); }

  /// The indexes of those addresses that the pool contains; ascending, without duplicates.
  std::vector<netlib::Uint128> indexesOf(std::span<const netlib::IpAddress> addresses) const;

  /// The address with prefix length and gateway of its range, or if it is in none, of the first range with its subnet.
  /// Precondition: it is in a subnet of the set.
  Lease leaseOf(const netlib::IpAddress& address) const;

  /// Uniform over the addresses of the pool that are not in `taken` (any order, may contain other addresses). Nothing
  /// only if none is free: the last free address is always found.
  std::optional<netlib::IpAddress> pickFree(std::span<const netlib::IpAddress> taken, const RandomBelow& random) const;

  /// Round robin: the first address after `last` that is not in `taken`, with wrap-around, `last` itself at the end.
  /// Starts at the first address if `last` is in none of the ranges. Nothing only if none is free.
  std::optional<netlib::IpAddress> nextFree(const std::optional<netlib::IpAddress>& last,
                                            std::span<const netlib::IpAddress> taken) const;

 private:
  struct Interval {
    netlib::Uint128 first;
    netlib::Uint128 last;
    std::size_t range;  // index into set_

    netlib::Uint128 size() const { return last - first + 1; }
  };

  void remove(const netlib::IpPrefix& prefix);
  std::optional<netlib::Uint128> indexOf(const netlib::IpAddress& address) const;
  netlib::Uint128 indexBehind(const std::optional<netlib::IpAddress>& last) const;

  RangeSet set_;
  std::vector<Interval> intervals_;  // disjoint, in the order of the ranges
};

}  // namespace pons
