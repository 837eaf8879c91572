#include "plugin/ledger/address_pool.h"

#include <algorithm>
#include <numeric>

#include <sys/random.h>

namespace pons {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Result;
using netlib::Uint128;

Uint128 randomBelow(Uint128 bound) {
  // Rejects numbers in the last, incomplete multiple of the bound, which would favour small remainders.
  const Uint128 excess = (~Uint128{0} % bound + 1) % bound;
  for (;;) {
    Uint128 number = 0;
    // getrandom(2): up to 256 bytes are not truncated; EINTR is possible before the kernel's generator is seeded.
    while (getrandom(&number, sizeof number, 0) != sizeof number) {}
    if (number <= ~Uint128{0} - excess) return number % bound;
  }
}

AddressPool::AddressPool(RangeSet set, std::span<const IpPrefix> excluded) : set_(std::move(set)) {
  for (std::size_t i = 0; i < set_.size(); ++i) {
    intervals_.push_back({set_[i].start.number(), set_[i].end.number(), i});
  }
  for (const Range& range : set_) {
    if (hasNetworkAddress(range.subnet)) remove(IpPrefix::host(range.subnet.first()));
    if (hasBroadcastAddress(range.subnet)) remove(IpPrefix::host(range.subnet.last()));
    if (range.gateway) remove(IpPrefix::host(*range.gateway));
  }
  for (const IpPrefix& prefix : excluded) remove(prefix);
}

void AddressPool::remove(const IpPrefix& prefix) {
  if (set_.empty() || prefix.family() != set_.front().subnet.family()) return;
  const Uint128 first = prefix.first().number();
  const Uint128 last = prefix.last().number();
  std::vector<Interval> kept;
  for (const Interval& interval : intervals_) {
    if (interval.last < first || interval.first > last) {
      kept.push_back(interval);
      continue;
    }
    if (interval.first < first) kept.push_back({interval.first, first - 1, interval.range});
    if (interval.last > last) kept.push_back({last + 1, interval.last, interval.range});
  }
  intervals_ = std::move(kept);
}

Uint128 AddressPool::size() const {
  return std::accumulate(intervals_.begin(), intervals_.end(), Uint128{0},
                         [](Uint128 sum, const Interval& interval) { return sum + interval.size(); });
}

IpAddress AddressPool::nth(Uint128 index) const {
  auto interval = intervals_.begin();
  for (; index >= interval->size(); ++interval) index -= interval->size();
  return IpAddress::fromNumber(set_.front().subnet.family(), interval->first + index);
}

std::optional<Uint128> AddressPool::indexOf(const IpAddress& address) const {
  if (set_.empty() || address.family() != set_.front().subnet.family()) return std::nullopt;
  const Uint128 number = address.number();
  Uint128 before = 0;
  for (const Interval& interval : intervals_) {
    if (interval.first <= number && number <= interval.last) return before + (number - interval.first);
    before += interval.size();
  }
  return std::nullopt;
}

Lease AddressPool::leaseOf(const IpAddress& address) const {
  auto range = std::ranges::find_if(set_, [&](const Range& r) { return r.start <= address && address <= r.end; });
  if (range == set_.end()) {
    range = std::ranges::find_if(set_, [&](const Range& r) { return r.subnet.contains(address); });
  }
  return {*IpPrefix::of(address, range->subnet.length()), range->gateway};
}

std::vector<Uint128> AddressPool::indexesOf(std::span<const IpAddress> addresses) const {
  std::vector<Uint128> indexes;
  for (const IpAddress& address : addresses) {
    if (const auto index = indexOf(address)) indexes.push_back(*index);
  }
  std::ranges::sort(indexes);
  const auto repeated = std::ranges::unique(indexes);
  indexes.erase(repeated.begin(), repeated.end());
  return indexes;
}

std::optional<IpAddress> AddressPool::pickFree(std::span<const IpAddress> taken, const RandomBelow& random) const {
  const std::vector<Uint128> takenIndexes = indexesOf(taken);
  const Uint128 free = size() - takenIndexes.size();
  if (free == 0) return std::nullopt;

  // From the index among the free addresses to the index among all: each taken one at or below it adds 1.
  Uint128 index = random(free);
  for (const Uint128 takenIndex : takenIndexes) {
    if (takenIndex > index) break;
    ++index;
  }
  return nth(index);
}

Uint128 AddressPool::indexBehind(const std::optional<IpAddress>& last) const {
  const auto range = std::ranges::find_if(set_, [&](const Range& r) {
    return last && r.subnet.family() == last->family() && r.start <= *last && *last <= r.end;
  });
  if (range == set_.end()) return 0;
  const auto current = static_cast<std::size_t>(range - set_.begin());
  const Uint128 number = last->number();
  Uint128 index = 0;
  for (const Interval& interval : intervals_) {
    if (interval.range < current || (interval.range == current && interval.last <= number)) {
      index += interval.size();
    } else if (interval.range == current && interval.first <= number) {
      index += number - interval.first + 1;
    }
  }
  return index;
}

std::optional<IpAddress> AddressPool::nextFree(const std::optional<IpAddress>& last,
                                               std::span<const IpAddress> taken) const {
  const std::vector<Uint128> takenIndexes = indexesOf(taken);
  if (takenIndexes.size() >= size()) return std::nullopt;

  const auto firstFree = [&](Uint128 index) {
    for (auto next = std::ranges::lower_bound(takenIndexes, index); next != takenIndexes.end() && *next == index;
         ++next) {
      ++index;
    }
    return index;
  };
  const Uint128 index = firstFree(indexBehind(last));
  return nth(index < size() ? index : firstFree(0));
}

}  // namespace pons
