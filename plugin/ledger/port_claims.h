// Host ports belong to one attachment each.
#pragma once

#include "netlib/directory.h"

#include "plugin/ledger/attachment.h"

namespace pons {

/// Whether all forwards of the attachment may be claimed: for each (protocol, port) and family a wildcard and a
/// specific host address conflict, as in bind(2). EADDRINUSE, with the owner, where not. Clears stale claims that are
/// in the way. The caller holds the host lock until the claims are made.
netlib::Result<> checkPorts(const netlib::Directory& state, const Attachment& attachment);

}  // namespace pons
