// Which addresses a network may hand out, and a uniform choice among the free ones. Pure: knows neither files nor
// kernel.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "plugin/model/address_range.h"
#include "plugin/model/attachment.h"

namespace pons {

/// A number in [0, bound), uniformly; `bound` is at least 1. Tests put in their own source.
using RandomBelow = std::function<netlib::Uint128(netlib::Uint128 bound)>;

/// From the kernel's random source, without modulo bias.
netlib::Uint128 randomBelow(netlib::Uint128 bound);

/// The usable addresses of a range set: its ranges less network, broadcast, gateway and excluded addresses. The cost of
/// every operation depends on the number of ranges and exclusions, never on the number of addresses.
class AddressPool {
 public:
  AddressPool(RangeSet set, std::span<const netlib::IpPrefix> excluded);

  netlib::Uint128 size() const;
  /// The address with that number, 0 <= index < size(): range after range as they were given, each ascending.
  netlib::IpAddress nth(netlib::Uint128 index) const;
  bool contains(const netlib::IpAddress& address) const { return indexOf(address).has_value(); }

  /// The numbers of those addresses that the pool contains; ascending, without repetition.
  std::vector<netlib::Uint128> indexesOf(std::span<const netlib::IpAddress> addresses) const;

  /// The address with its subnet's length and gateway; only for addresses that the pool contains.
  Lease leaseOf(const netlib::IpAddress& address) const;

  /// Uniform over the addresses of the pool that are not in `taken` (any order, may hold foreign addresses). Nothing
  /// only where none is free: the last free address is always found.
  std::optional<netlib::IpAddress> pickFree(std::span<const netlib::IpAddress> taken, const RandomBelow& random) const;

  /// The addresses one after another, beginning behind `last`, or in front where that is in none of the ranges: the
  /// first that is not in `taken`, and `last` itself at the very end. Nothing only where none is free.
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
