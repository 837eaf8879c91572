// GC and STATUS, the verbs that concern a network.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Tears down every attachment of the network that is not in the list of valid attachments, then deletes orphans
/// (kernel objects of pons without a record). Without a list only attachments of dead containers. Attachments that
/// another call has locked are skipped. Continues after failures and reports all of them in one error.
cni::Result<> gc(const cni::NetworkRequest& request, Host& host);

/// NotAvailable (50) if ADD would fail, NotAvailableLimited (51) if shared state of running attachments is missing.
cni::Result<> status(const cni::NetworkRequest& request, Host& host);

}  // namespace pons
