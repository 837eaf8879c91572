// The verbs of the IPAM plugins "host-local" and "static", for the main plugins of others: what they know is in the
// request and in host-local's files, and nowhere else.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/ledger/address_claims.h"

namespace pons {

/// What `request.verb` answers on stdout: an IPAM result for ADD, else nothing. `patience` bounds the wait for the
/// lock.
cni::Result<std::string> hostLocal(const cni::IpamRequest& request, std::chrono::milliseconds patience);
/// The same for addresses that the configuration names.
cni::Result<std::string> staticAddresses(const cni::IpamRequest& request);

/// Whether the runtime's list of what it has says that this owner is gone. Without a list nothing says so; and of one
/// whose names pons never takes the list, as it was read, does not tell.
bool isForgotten(const std::optional<std::vector<cni::ValidAttachment>>& valid, const HostLocalOwner& owner);

}  // namespace pons
