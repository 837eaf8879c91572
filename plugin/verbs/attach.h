// ADD, DEL and CHECK, each based on the plan of the attachment.
#pragma once

#include "plugin/cni/decode/request.h"
#include "plugin/context/context.h"

namespace pons {

/// Attaches the container; on error all changes are rolled back. Returns the result in the version of the request.
/// First tears down what an interrupted call or a dead container left under the same key. UnknownContainer if CNI_NETNS
/// does not exist, AlreadyAttached if the attachment does, TryAgain if its record or the host lock stays locked.
cni::Result<std::string> add(const cni::Request& received, Host& host);

/// Tears the attachment down. Idempotent: what no longer exists is not an error, and neither is a missing record; then
/// state of the reference plugins for this attachment is removed.
cni::Result<> del(const cni::Request& request, Host& host);

/// Compares prevResult, the record, the claims and the kernel; changes nothing. CheckFailed for a difference: the first
/// one with its remedy is the message, the others are its details.
cni::Result<> check(const cni::Request& request, Host& host);

}  // namespace pons
