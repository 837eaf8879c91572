#include "plugin/ledger/claimed_addresses.h"

#include "plugin/ledger/claims.h"

namespace pons {

using netlib::IpAddress;
using netlib::Result;

std::string ClaimedAddresses::claimOf(const IpAddress& address) const {
  return addressDirectory(network_) + "/" + address.toString();
}

Result<bool> ClaimedAddresses::has(const IpAddress& address) const { return state_.exists(claimOf(address)); }

Result<std::vector<IpAddress>> ClaimedAddresses::all() const {
  std::vector<IpAddress> addresses;
  for (const std::string& name : TRY(namesIn(state_, addressDirectory(network_)))) {
    // Other names were not created by pons.
    if (const auto address = IpAddress::parse(name)) addresses.push_back(*address);
  }
  return addresses;
}

Result<std::optional<std::string>> ClaimedAddresses::ownerOf(const IpAddress& address) const {
  const auto owner = TRY(pons::ownerOf(state_, claimOf(address)));
  return owner ? std::optional{described(state_, *owner)} : std::nullopt;
}

Result<bool> ClaimedAddresses::removeStale() const {
  bool removed = false;
  for (const IpAddress& address : TRY(all())) {
    const std::string claim = claimOf(address);
    if (TRY(pons::ownerOf(state_, claim))) continue;
    TRY(state_.remove(claim));
    removed = true;
  }
  return removed;
}

}  // namespace pons
