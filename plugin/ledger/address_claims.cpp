#include "plugin/ledger/address_claims.h"

#include <algorithm>

#include "plugin/ledger/claims.h"

namespace pons {

using netlib::Directory;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Result;

namespace {

/// How many addresses are drawn blindly. In a network that is half full, one in sixteen ADDs goes on to read the
/// directory; that costs as much as some hundred of these.
constexpr int kBlindDraws = 4;

/// Everything that the choice within one set looks at.
struct Search {
  const Directory& state;
  const NetworkName& network;
  const AddressPool& pool;
  const RangeSet& set;
  const HeldByHost& heldByHost;

  std::string claimOf(const IpAddress& address) const { return addressDirectory(network) + "/" + address.toString(); }
};

/// No address of one set may be the gateway of another.
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

/// Why this address, which is in no pool, is in none.
std::string objectionTo(const IpAddress& address, const AddressRequest& request) {
  for (const IpPrefix& prefix : request.excluded) {
    if (prefix.contains(address)) return "is excluded by " + prefix.toString();
  }
  std::string objection = "is in no subnet of the network";
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

/// Each requested address must be in one of the pools, and each pool asked for one at most.
Result<> checkRequested(const AddressRequest& request, std::span<const AddressPool> pools) {
  const auto refuse = [](const IpAddress& address, const std::string& why) {
    return netlib::fail(EINVAL, "requested address " + address.toString() + " " + why);
  };
  std::vector<bool> asked(pools.size());
  for (const IpAddress& address : request.requested) {
    const auto pool = std::ranges::find_if(pools, [&](const AddressPool& p) { return p.contains(address); });
    if (pool == pools.end()) return refuse(address, objectionTo(address, request));
    const auto index = static_cast<std::size_t>(pool - pools.begin());
    if (asked[index]) return refuse(address, "is the second one of the same range set, which gives one");
    asked[index] = true;
  }
  return {};
}

Result<IpAddress> chooseRequested(const Search& search, const IpAddress& address) {
  const auto owner = TRY(ownerOf(search.state, search.claimOf(address)));
  const std::string what = "requested address " + address.toString();
  if (owner) return netlib::fail(EADDRINUSE, what + " is leased to " + described(*owner));
  if (TRY(search.heldByHost(address))) return netlib::fail(EADDRINUSE, what + " is held by the host itself");
  return address;
}

/// The addresses that have a claim, stale or not.
Result<std::vector<IpAddress>> claimedAddresses(const Search& search) {
  std::vector<IpAddress> addresses;
  for (const std::string& name : TRY(namesIn(search.state, addressDirectory(search.network)))) {
    // Anything else in there is not ours, and claims nothing.
    if (const auto address = IpAddress::parse(name)) addresses.push_back(*address);
  }
  return addresses;
}

/// Nothing where every address of the pool is taken; `taken` then holds them all.
Result<std::optional<IpAddress>> chooseAmongFree(const Search& search, std::vector<IpAddress>& taken) {
  while (const auto address = search.pool.pickFree(taken, randomBelow)) {
    if (!TRY(search.heldByHost(*address))) return address;
    taken.push_back(*address);
  }
  return std::optional<IpAddress>{};
}

/// Whether there were any.
Result<bool> removeStaleClaims(const Search& search, std::span<const IpAddress> claimed) {
  bool removed = false;
  for (const IpAddress& address : claimed) {
    const std::string claim = search.claimOf(address);
    if (TRY(ownerOf(search.state, claim))) continue;
    TRY(search.state.remove(claim));
    removed = true;
  }
  return removed;
}

netlib::Failure<netlib::Error> exhausted(const Search& search, std::span<const IpAddress> claimed,
                                         std::span<const IpAddress> taken) {
  const std::size_t leased = search.pool.indexesOf(claimed).size();
  const std::size_t heldByHost = search.pool.indexesOf(taken).size() - leased;
  std::string subnets;
  for (const Range& range : search.set) subnets += (subnets.empty() ? "" : ", ") + range.subnet.toString();
  std::string message = "no free address in network " + search.network.toString() + ": " + std::to_string(leased) +
                        // As many addresses as this were just listed one by one: the number is small.
                        " of " + std::to_string(static_cast<std::uint64_t>(search.pool.size())) + " addresses of " +
                        subnets + " are leased";
  if (heldByHost > 0) message += ", and " + std::to_string(heldByHost) + " held by the host itself";
  return netlib::fail(EADDRNOTAVAIL, message);
}

Result<IpAddress> chooseByListing(const Search& search) {
  std::vector<IpAddress> claimed = TRY(claimedAddresses(search));
  std::vector<IpAddress> taken = claimed;
  if (const auto address = TRY(chooseAmongFree(search, taken))) return *address;

  if (!TRY(removeStaleClaims(search, claimed))) return exhausted(search, claimed, taken);
  claimed = TRY(claimedAddresses(search));
  taken = claimed;
  if (const auto address = TRY(chooseAmongFree(search, taken))) return *address;
  return exhausted(search, claimed, taken);
}

/// Uniform over the free addresses, by whichever way it ends.
Result<IpAddress> chooseAny(const Search& search) {
  for (int draw = 0; draw < kBlindDraws && search.pool.size() > 0; ++draw) {
    const IpAddress address = search.pool.nth(randomBelow(search.pool.size()));
    if (TRY(search.state.exists(search.claimOf(address)))) continue;
    if (!TRY(search.heldByHost(address))) return address;
  }
  return chooseByListing(search);
}

Result<Lease> chooseLease(const Search& search, std::span<const IpAddress> requested) {
  const auto wish = std::ranges::find_if(requested, [&](const IpAddress& a) { return search.pool.contains(a); });
  const IpAddress address = TRY(wish != requested.end() ? chooseRequested(search, *wish) : chooseAny(search));
  return search.pool.leaseOf(address);
}

}  // namespace

Result<std::vector<Lease>> chooseLeases(const Directory& state, const NetworkName& network,
                                        const AddressRequest& request, const HeldByHost& heldByHost) {
  const std::vector<AddressPool> pools = poolsOf(request);
  TRY(checkRequested(request, pools));

  std::vector<Lease> leases;
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const Search search{state, network, pools[i], request.sets[i], heldByHost};
    leases.push_back(TRY(chooseLease(search, request.requested)));
  }
  return leases;
}

Result<> checkFree(const Directory& state, const NetworkName& network, const AddressRequest& request) {
  const std::vector<AddressPool> pools = poolsOf(request);
  const HeldByHost notAsked = [](const IpAddress&) { return false; };
  for (std::size_t i = 0; i < pools.size(); ++i) {
    const Search search{state, network, pools[i], request.sets[i], notAsked};
    const std::vector<IpAddress> claimed = TRY(claimedAddresses(search));
    if (pools[i].indexesOf(claimed).size() >= pools[i].size()) return exhausted(search, claimed, claimed);
  }
  return {};
}

}  // namespace pons
