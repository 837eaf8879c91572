// The choice of an attachment's addresses among those that nobody has.
#pragma once

#include <functional>

#include "netlib/directory.h"

#include "plugin/ledger/address_pool.h"

namespace pons {

/// What ADD asks of the ledger.
struct AddressRequest {
  std::vector<RangeSet> sets;                ///< one address from each
  std::vector<netlib::IpPrefix> excluded;    ///< never leased
  std::vector<netlib::IpAddress> requested;  ///< at most one for each set; leased exactly, or the claim fails
};

/// True where the host itself holds that address.
using HeldByHost = std::function<netlib::Result<bool>(const netlib::IpAddress&)>;

/// One lease from each set, not yet claimed: the caller holds the host lock until it is.
/// Errors: EADDRNOTAVAIL, a set has no free address (size and use in the message); EADDRINUSE, a requested address
/// belongs to somebody, who is named; EINVAL, a requested address cannot be leased, with the reason.
netlib::Result<std::vector<Lease>> chooseLeases(const netlib::Directory& state, const NetworkName& network,
                                                const AddressRequest& request, const HeldByHost& heldByHost);

/// EADDRNOTAVAIL, with the numbers, where a set has no free address. Does not look for addresses that the host holds.
netlib::Result<> checkFree(const netlib::Directory& state, const NetworkName& network, const AddressRequest& request);

}  // namespace pons
