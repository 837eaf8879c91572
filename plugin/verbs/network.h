// GC and STATUS: the verbs of CNI that are about a network.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Takes away every attachment of the network that the runtime no longer has, and then what bears pons' mark without a
/// record. Where the runtime does not say what it has, only attachments whose namespace or link is gone. Goes on after
/// failures and reports them all. An attachment that another verb is at work on is left to it.
cni::Result<> gc(const cni::NetworkRequest& request, Host& host);

/// Fails where an ADD could not be served (50), or where attachments of the network have lost shared state (51).
cni::Result<> status(const cni::NetworkRequest& request, Host& host);

}  // namespace pons
