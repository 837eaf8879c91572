// pons as IPAM plugin "host-local" or "static" of another main plugin. The only state is in the files of host-local;
// the ledger is not used.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/ledger/address_claims.h"

namespace pons {

/// Executes request.verb; returns the output: an IPAM result for ADD, else empty. Takes the lock of host-local's
/// directory; TryAgain after `lockTimeout`.
cni::Result<std::string> hostLocal(const cni::IpamRequest& request, std::chrono::milliseconds lockTimeout);
/// The same for the addresses in the configuration. Takes no lock.
cni::Result<std::string> staticAddresses(const cni::IpamRequest& request);

/// True if the list of valid attachments does not contain the owner. False without a list, and for an owner with an
/// invalid container ID, which the decoded list never contains.
bool isUnlisted(const std::optional<std::vector<cni::ValidAttachment>>& valid, const HostLocalOwner& owner);

}  // namespace pons
