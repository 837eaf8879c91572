// GC and STATUS, the verbs that concern a network.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Tears down every attachment of the network that is not in the list of valid attachments, then deletes orphans
/// (kernel objects of pons without a record). Without a list only attachments of dead containers. Attachments that
/// another call has locked are skipped. Continues after failures and reports all of them in one error.
cni::Result<> gc(const cni::NetworkRequest& request, Host& host);

/// Where something is missing that attachments of the network share, repairs that and the host's side of all
/// attachments, as "ponsctl repair" does. NotAvailable (50) if ADD would fail, NotAvailableLimited (51) if shared state
/// of running attachments is missing and cannot be repaired. A full pool is a warning in the log: its containers are
/// well, and a runtime would regard the node as not ready.
cni::Result<> status(const cni::NetworkRequest& request, Host& host);

}  // namespace pons
