#include "plugin/ledger/address_claims.h"

#include <algorithm>

namespace pons {

using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Result;

namespace {

/// The number of random addresses that are tried before all entries are listed, which costs as much as a hundred tries
/// or more. In a network with half of its addresses free, one ADD in sixteen lists them.
constexpr int kBlindDraws = 4;

/// The selection within one set.
struct Search {
  const AddressSources& sources;
  const AddressPool& pool;
  const RangeSet& set;
  std::size_t index;  // of the set
};

/// Includes the gateways of all sets: a gateway may lie in another set.
std::vector<IpPrefix> neverLeased(const AddressRequest& request) {
  std::vector<IpPrefix> prefixes = request.excluded;
  for (const RangeSet& set : request.sets) {
    for (const Range& range : set) {
      if (range.gateway) prefixes.push_back(IpPrefix::host(*range.gateway));
    }
  }
  return prefixes;
}

std::vector<AddressPool> poolsOf(const AddressRequest& request) {
  const std::vector<IpPrefix> excluded = neverLeased(request);
  std::vector<AddressPool> pools;
  for (const RangeSet& set : request.sets) pools.emplace_back(set, excluded);
  return pools;
}

/// Why this address is in none of the pools.
std::string objectionTo(const IpAddress& address, const AddressRequest& request) {
  for (const IpPrefix& prefix : request.excluded) {
    if (prefix.contains(address)) return "is excluded by " + prefix.toString();
  }
  std::string objection = "is not in a subnet of the network";
  for (const RangeSet& set : request.sets) {
    for (const Range& range : set) {
      if (range.gateway == address) return "is the gateway";
      if (!range.subnet.contains(address)) continue;
      if (address == range.subnet.first()) return "is the network address of " + range.subnet.toString();
      if (address.isIpv4() && address == range.subnet.last()) {
        return "is the broadcast address of " + range.subnet.toString();
      }
      objection = "is outside the ranges of " + range.subnet.toString();
    }
  }
  return objection;
}

/// Each requested address must be in a pool, and at most one in each.
Result<> checkRequested(const AddressRequest& request, std::span<const AddressPool> pools) {
  const auto refuse = [](const IpAddress& address, const std::string& why) {
    return netlib::fail(EINVAL, "requested address " + address.toString() + " " + why);
  };
  std::vector<bool> used(pools.size());
  for (const IpAddress& address : request.requested) {
    const auto pool = std::ranges::find_if(pools, [&](const AddressPool& p) { return p.contains(address); });
    if (pool == pools.end()) return refuse(address, objectionTo(address, request));
    const auto index = static_cast<std::size_t>(pool - pools.begin());
    if (used[index]) return refuse(address, "is the second one from its range set: at most one per set");
    used[index] = true;
  }
  return {};
}

/// "leased to ..." or the like; nothing if the address is free.
Result<std::optional<std::string>> useOf(const AddressSources& sources, const IpAddress& address) {
  for (const AddressRegister* entries : sources.registers) {
    if (const auto owner = TRY(entries->ownerOf(address))) return "leased to " + *owner;
  }
  if (TRY(sources.isHostAddress(address))) return std::optional<std::string>{"assigned to the host itself"};
  return std::optional<std::string>{};
}

Result<IpAddress> chooseRequested(const AddressSources& sources, const IpAddress& address) {
  const auto use = TRY(useOf(sources, address));
  if (use) return netlib::fail(EADDRINUSE, "requested address " + address.toString() + " is " + *use);
  return address;
}

/// All addresses with an entry, stale ones included.
Result<std::vector<IpAddress>> enteredAddresses(const AddressSources& sources) {
  std::vector<IpAddress> addresses;
  for (const AddressRegister* entries : sources.registers) {
    std::ranges::move(TRY(entries->all()), std::back_inserter(addresses));
  }
  return addresses;
}

Result<bool> isEntered(const AddressSources& sources, const IpAddress& address) {
  for (const AddressRegister* entries : sources.registers) {
    if (TRY(entries->has(address))) return true;
  }
  return false;
}

Result<bool> removeStale(const AddressSources& sources) {
  bool removed = false;
  for (const AddressRegister* entries : sources.registers) removed = TRY(entries->removeStale()) || removed;
  return removed;
}

netlib::Failure<netlib::Error> exhausted(const Search& search, std::span<const IpAddress> entered,
                                         std::span<const IpAddress> taken) {
  const std::size_t leased = search.pool.indexesOf(entered).size();
  const std::size_t hostAddresses = search.pool.indexesOf(taken).size() - leased;
  std::string subnets;
  for (const Range& range : search.set) subnets += (subnets.empty() ? "" : ", ") + range.subnet.toString();
  std::string message =
      "no free address in network " + search.sources.network.toString() + ": " + std::to_string(leased) + " of " +
      // Fits: all of them were just listed.
      std::to_string(static_cast<std::uint64_t>(search.pool.size())) + " addresses of " + subnets + " are leased";
  if (hostAddresses > 0) message += ", and " + std::to_string(hostAddresses) + " assigned to the host itself";
  return netlib::fail(EADDRNOTAVAIL, message);
}

/// An address that is not in `taken`, random or by round robin; nothing if all are.
Result<std::optional<IpAddress>> draw(const Search& search, std::span<const IpAddress> taken) {
  const HostLocal* roundRobin = search.sources.roundRobin;
  if (roundRobin == nullptr) return search.pool.pickFree(taken, randomBelow);
  return search.pool.nextFree(TRY(roundRobin->lastOf(search.index)), taken);
}

/// Nothing if every address of the pool is taken; `taken` then contains all of them.
Result<std::optional<IpAddress>> chooseAmongFree(const Search& search, std::vector<IpAddress>& taken) {
  while (const auto address = TRY(draw(search, taken))) {
    if (!TRY(search.sources.isHostAddress(*address))) return address;
    taken.push_back(*address);
  }
  return std::optional<IpAddress>{};
}

Result<IpAddress> chooseByListing(const Search& search) {
  std::vector<IpAddress> entered = TRY(enteredAddresses(search.sources));
  std::vector<IpAddress> taken = entered;
  if (const auto address = TRY(chooseAmongFree(search, taken))) return *address;

  if (!TRY(removeStale(search.sources))) return exhausted(search, entered, taken);
  entered = TRY(enteredAddresses(search.sources));
  taken = entered;
  if (const auto address = TRY(chooseAmongFree(search, taken))) return *address;
  return exhausted(search, entered, taken);
}

/// Tries kBlindDraws addresses, then lists all entries.
Result<IpAddress> chooseAny(const Search& search) {
  std::vector<IpAddress> drawn;
  for (int i = 0; i < kBlindDraws; ++i) {
    const auto address = TRY(draw(search, drawn));
    if (!address) break;
    if (!TRY(isEntered(search.sources, *address)) && !TRY(search.sources.isHostAddress(*address))) return *address;
    drawn.push_back(*address);
  }
  return chooseByListing(search);
}

Result<Lease> chooseLease(const Search& search, std::span<const IpAddress> requested) {
  const auto match = std::ranges::find_if(requested, [&](const IpAddress& a) { return search.pool.contains(a); });
  const IpAddress address = TRY(match != requested.end() ? chooseRequested(search.sources, *match) : chooseAny(search));
  return search.pool.leaseOf(address);
}

Result<> checkFixed(const AddressSources& sources, const Lease& lease) {
  const IpAddress& address = lease.address.address();
  const auto use = TRY(useOf(sources, address));
  return use ? netlib::fail(EADDRINUSE, "address " + address.toString() + " is " + *use) : Result<>{};
}

}  // namespace

Result<std::vector<Lease>> chooseLeases(const AddressSources& sources, const AddressRequest& request) {
  const std::vector<AddressPool> pools = poolsOf(request);
  TRY(checkRequested(request, pools));

  std::vector<Lease> leases;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    leases.push_back(TRY(chooseLease({sources, pools[i], request.sets[i], i}, request.requested)));
  }
  for (const Lease& lease : request.fixed) {
    TRY(checkFixed(sources, lease));
    leases.push_back(lease);
  }
  return leases;
}

Result<> checkFree(const AddressSources& sources, const AddressRequest& request) {
  const std::vector<AddressPool> pools = poolsOf(request);
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const std::vector<IpAddress> entered = TRY(enteredAddresses(sources));
    if (pools[i].indexesOf(entered).size() >= pools[i].size()) {
      return exhausted({sources, pools[i], request.sets[i], i}, entered, entered);
    }
  }
  return {};
}

}  // namespace pons
