// The choice of an attachment's addresses among those that nobody has.
#pragma once

#include <functional>

#include "plugin/ledger/address_pool.h"
#include "plugin/ledger/host_local.h"
#include "plugin/model/address_request.h"

namespace pons {

/// True where the host itself holds that address.
using HeldByHost = std::function<netlib::Result<bool>(const netlib::IpAddress&)>;

/// Everything that a choice asks.
struct AddressSources {
  const NetworkName& network;
  std::vector<const AddressRegister*> registers;
  HeldByHost heldByHost;
  /// Where it is given the addresses come in its round robin, else uniformly from the free ones.
  const HostLocal* roundRobin = nullptr;
};

/// One lease from each set and then the fixed ones, not yet claimed: the caller holds the locks until they are.
/// Errors: EADDRNOTAVAIL, a set has no free address (size and use in the message); EADDRINUSE, a requested or fixed
/// address belongs to somebody, who is named; EINVAL, a requested address cannot be leased, with the reason.
netlib::Result<std::vector<Lease>> chooseLeases(const AddressSources& sources, const AddressRequest& request);

/// EADDRNOTAVAIL, with the numbers, where a set has no free address. Does not look for addresses that the host holds.
netlib::Result<> checkFree(const AddressSources& sources, const AddressRequest& request);

}  // namespace pons
