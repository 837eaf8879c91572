// Host ports belong to one attachment each.
#pragma once

#include "netlib/directory.h"

#include "plugin/ledger/attachment.h"

namespace pons {

/// Takes the forwards out of the attachment whose host port the same container has published already, in another of its
/// networks: runtimes ask for the same ports in each of them, and one way to the container is enough. All others must
/// be free: for each (protocol, port) and family a wildcard and a specific host address conflict, as in bind(2).
/// EADDRINUSE, with the owner, where one is not. Clears stale claims that are in the way. The caller holds the host
/// lock until the claims are made.
netlib::Result<> settlePorts(const netlib::Directory& state, Attachment& attachment);

}  // namespace pons
