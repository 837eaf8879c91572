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

AddressPool poolOf(const AddressRequest& request, std::size_t index) {
  return {request.sets[index], neverLeased(request)};
}

bool hasSubnetOf(const RangeSet& set, const IpAddress& address) {
  return std::ranges::any_of(set, [&](const Range& range) { return range.subnet.contains(address); });
}

/// Why the address, which lies in the subnet, is none of a container; nothing if it can be one.
std::optional<std::string> objectionIn(const IpPrefix& subnet, const IpAddress& address) {
  if (hasNetworkAddress(subnet) && address == subnet.first()) return "is the network address of " + subnet.toString();
  if (hasBroadcastAddress(subnet) && address == subnet.last()) {
    return "is the broadcast address of " + subnet.toString();
  }
  return std::nullopt;
}

/// Why this address, which is in none of the pools, cannot be leased on request; nothing if it can be: it lies in a
/// subnet and is only outside of the ranges from which pons selects addresses itself.
std::optional<std::string> objectionTo(const IpAddress& address, const AddressRequest& request) {
  for (const IpPrefix& prefix : request.excluded) {
    if (prefix.contains(address)) return "is excluded by " + prefix.toString();
  }
  bool isInSubnet = false;
  for (const RangeSet& set : request.sets) {
    for (const Range& range : set) {
      if (range.gateway == address) return "is the gateway";
      if (!range.subnet.contains(address)) continue;
      if (auto objection = objectionIn(range.subnet, address)) return objection;
      isInSubnet = true;
    }
  }
  return isInSubnet ? std::nullopt : std::optional<std::string>{"is not in a subnet of the network"};
}

/// The requested address of each set.
using RequestedBySet = std::vector<std::optional<IpAddress>>;

/// An address is requested of the set in whose pool it is, else of the first set with its subnet that has no requested
/// address yet. Invalid if it cannot be leased, or is the second one of its set.
Result<RequestedBySet> requestedBySet(const AddressRequest& request) {
  RequestedBySet bySet(request.sets.size());
  if (request.requested.empty()) return bySet;
  const auto refuse = [](const IpAddress& address, const std::string& why) {
    return netlib::fail(netlib::Cause::Invalid, "requested address " + address.toString() + " " + why);
  };
  constexpr const char* kSecond = "is the second one from its range set: at most one per set";
  std::vector<AddressPool> pools;
  for (std::size_t i = 0; i < bySet.size(); ++i) pools.push_back(poolOf(request, i));

  std::vector<IpAddress> outside;
  for (const IpAddress& address : request.requested) {
    const auto pool = std::ranges::find_if(pools, [&](const AddressPool& p) { return p.contains(address); });
    if (pool == pools.end()) {
      outside.push_back(address);
      continue;
    }
    std::optional<IpAddress>& requested = bySet[static_cast<std::size_t>(pool - pools.begin())];
    if (requested) return refuse(address, kSecond);
    requested = address;
  }
  for (const IpAddress& address : outside) {
    if (const auto objection = objectionTo(address, request)) return refuse(address, *objection);
    std::size_t index = 0;
    while (index < bySet.size() && (bySet[index] || !hasSubnetOf(request.sets[index], address))) ++index;
    if (index == bySet.size()) return refuse(address, kSecond);
    bySet[index] = address;
  }
  return bySet;
}

/// "leased to ..." or the like; nothing if the address is free.
Result<std::optional<std::string>> useOf(const AddressSources& sources, const IpAddress& address) {
  for (const AddressRegister* entries : sources.registers) {
    if (const auto owner = TRY(entries->ownerOf(address))) return "leased to " + *owner;
  }
  const bool isOfHost = std::ranges::find(sources.hostAddresses, address) != sources.hostAddresses.end();
  return isOfHost ? std::optional<std::string>{"assigned to the host itself"} : std::nullopt;
}

Result<IpAddress> chooseRequested(const AddressSources& sources, const IpAddress& address) {
  const auto use = TRY(useOf(sources, address));
  if (use) return netlib::fail(netlib::Cause::InUse, "requested address " + address.toString() + " is " + *use);
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
  return netlib::fail(netlib::Cause::Exhausted, message);
}

/// An address that is not in `taken`, random or by round robin; nothing if all are.
Result<std::optional<IpAddress>> draw(const Search& search, std::span<const IpAddress> taken) {
  const HostLocal* roundRobin = search.sources.roundRobin;
  if (roundRobin == nullptr) return search.pool.pickFree(taken, randomBelow);
  return search.pool.nextFree(TRY(roundRobin->lastOf(search.index)), taken);
}

/// Exhausted only if all are in use after stale entries are removed.
Result<IpAddress> chooseByListing(const Search& search) {
  for (bool swept = false;; swept = true) {
    const std::vector<IpAddress> entered = TRY(enteredAddresses(search.sources));
    std::vector<IpAddress> taken = entered;
    std::ranges::copy(search.sources.hostAddresses, std::back_inserter(taken));
    if (const auto address = TRY(draw(search, taken))) return *address;
    if (swept || !TRY(removeStale(search.sources))) return exhausted(search, entered, taken);
  }
}

/// Tries kBlindDraws addresses, then lists all entries.
Result<IpAddress> chooseAny(const Search& search) {
  std::vector<IpAddress> drawn{search.sources.hostAddresses.begin(), search.sources.hostAddresses.end()};
  for (int i = 0; i < kBlindDraws; ++i) {
    const auto address = TRY(draw(search, drawn));
    if (!address) break;
    if (!TRY(isEntered(search.sources, *address))) return *address;
    drawn.push_back(*address);
  }
  return chooseByListing(search);
}

Result<Lease> chooseFixed(const AddressSources& sources, const Lease& lease) {
  const IpAddress& address = lease.address.address();
  const auto use = TRY(useOf(sources, address));
  if (use) return netlib::fail(netlib::Cause::InUse, "address " + address.toString() + " is " + *use);
  return lease;
}

Result<Lease> chooseAt(const AddressSources& sources, const AddressRequest& request, const RequestedBySet& requested,
                       std::size_t index) {
  if (index >= request.sets.size()) return chooseFixed(sources, request.fixed[index - request.sets.size()]);
  const AddressPool pool = poolOf(request, index);
  const auto& wanted = requested[index];
  const IpAddress address =
      TRY(wanted ? chooseRequested(sources, *wanted) : chooseAny({sources, pool, request.sets[index], index}));
  return pool.leaseOf(address);
}

}  // namespace

Result<Lease> chooseLease(const AddressSources& sources, const AddressRequest& request, std::size_t index) {
  return chooseAt(sources, request, TRY(requestedBySet(request)), index);
}

Result<std::vector<Lease>> chooseLeases(const AddressSources& sources, const AddressRequest& request) {
  const RequestedBySet requested = TRY(requestedBySet(request));
  std::vector<Lease> leases;
  for (std::size_t i = 0; i < request.sets.size() + request.fixed.size(); ++i) {
    leases.push_back(TRY(chooseAt(sources, request, requested, i)));
  }
  return leases;
}

Result<> checkFree(const AddressSources& sources, const AddressRequest& request) {
  const std::vector<IpAddress> entered = TRY(enteredAddresses(sources));
  for (std::size_t i = 0; i < request.sets.size(); ++i) {
    const AddressPool pool = poolOf(request, i);
    if (pool.indexesOf(entered).size() < pool.size()) continue;
    return exhausted({sources, pool, request.sets[i], i}, entered, entered);
  }
  return {};
}

}  // namespace pons
