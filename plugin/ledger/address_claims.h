// Selection of free addresses for an attachment.
#pragma once

#include <functional>

#include "plugin/ledger/address_pool.h"
#include "plugin/ledger/host_local.h"
#include "plugin/model/address_request.h"

namespace pons {

/// Whether the address is assigned to an interface of the host. Called under the host lock: must not lock or wait.
using IsHostAddress = std::function<netlib::Result<bool>(const netlib::IpAddress&)>;

struct AddressSources {
  const NetworkName& network;
  std::vector<const AddressRegister*> registers;
  IsHostAddress isHostAddress;
  /// If set, the next free address in its round robin is selected, else a random one. Must outlive this object.
  const HostLocal* roundRobin = nullptr;
};

/// One lease from each set, then the fixed ones. They are not claimed yet: the caller holds the locks until they are.
/// Errors: EADDRNOTAVAIL, a set has no free address (size and use in the message); EADDRINUSE, a requested or fixed
/// address is in use, with the owner; EINVAL, a requested address cannot be leased, with the reason.
netlib::Result<std::vector<Lease>> chooseLeases(const AddressSources& sources, const AddressRequest& request);

/// EADDRNOTAVAIL, with size and use, if a set has no free address. Ignores isHostAddress.
netlib::Result<> checkFree(const AddressSources& sources, const AddressRequest& request);

}  // namespace pons
