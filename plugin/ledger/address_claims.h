// Selection of free addresses for an attachment.
#pragma once

#include <span>

#include "plugin/ledger/address_pool.h"
#include "plugin/ledger/host_local.h"
#include "plugin/model/address_request.h"

namespace pons {

struct AddressSources {
  const NetworkName& network;
  std::vector<const AddressRegister*> registers;
  /// If set, the next free address in its round robin is selected, else a random one. Must outlive this object.
  const HostLocal* roundRobin = nullptr;
  /// Addresses of the host itself, as far as they are known: never leased.
  std::span<const netlib::IpAddress> hostAddresses = {};
};

/// One lease from each set, then the fixed ones. They are not claimed yet: the caller holds the locks until they are.
/// Errors: Exhausted, a set has no free address (size and use in the message); InUse, a requested or fixed
/// address is in use, with the owner; Invalid, a requested address cannot be leased, with the reason.
netlib::Result<std::vector<Lease>> chooseLeases(const AddressSources& sources, const AddressRequest& request);

/// The lease of that index alone. Precondition: chooseLeases() has accepted the request.
netlib::Result<Lease> chooseLease(const AddressSources& sources, const AddressRequest& request, std::size_t index);

/// Exhausted, with size and use, if a set has no free address.
netlib::Result<> checkFree(const AddressSources& sources, const AddressRequest& request);

}  // namespace pons
