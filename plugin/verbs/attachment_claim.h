// The record of an attachment: written by ADD before the kernel is changed, after what an interrupted call or a dead
// container left in its way is gone.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Tears down the attachment of an interrupted ADD or DEL (its record is unlocked, but not committed) or of a dead
/// container with the same key. AlreadyAttached if the container lives; TryAgain if its record stays locked.
cni::Result<> undoInterrupted(const cni::Request& request, Host& host);

/// Reserves addresses, builds the attachment and writes its record with all claims, or nothing. Requires
/// host.container. Reclaims what dead attachments have of it. On error the addresses of the delegated IPAM plugin are
/// freed, unless the key is already attached: they would be those of that attachment.
cni::Result<Record> claim(const cni::Request& request, Host& host);

/// For an attachment without a record: frees its addresses in the files of host-local and the delegated IPAM plugin.
netlib::Result<> freeAddresses(const cni::Request& request, Host& host);

}  // namespace pons
