// What can be known of an attachment whose record cannot be read or tells too much: the claims that point at it.
#pragma once

#include <string>
#include <vector>

#include "netlib/os/directory.h"

#include "plugin/model/attachment.h"

namespace pons {

/// The names of all claims of that attachment. Reads every claim directory: for damaged records only.
netlib::Result<std::vector<std::string>> claimsOf(const netlib::Directory& state, const AttachmentKey& key);

/// An attachment made up from the names of its claims. What has no claim is not known: leases are host prefixes without
/// gateway, a forward's target is the unspecified address and port 1, there are no routes and no SourceNats, MACs are
/// zero. The bridge is the one it holds, or pons0, and of its ingress policy only is known that there was one. Enough
/// to undo everything that goes by name or key.
Attachment attachmentFromClaims(const AttachmentKey& key, const std::vector<std::string>& claims);

/// Takes the leases and ports that it has not claimed out of the attachment: its ADD was killed between the record and
/// the claims, or its DEL on the same way back. By now they may be somebody else's, whose state in the kernel goes by
/// the same keys. False where there were any.
bool forgetUnclaimed(const netlib::Directory& state, Attachment& attachment);

}  // namespace pons
