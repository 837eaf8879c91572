// Reconstruction of an attachment from the claims that point to its record, if the record is damaged or lists addresses
// and ports that the attachment has not claimed.
#pragma once

#include <string>
#include <vector>

#include "netlib/os/directory.h"

#include "plugin/model/attachment.h"

namespace pons {

/// The paths of all claims of that attachment, below the state directory. Reads every claim directory: O(claims).
netlib::Result<std::vector<std::string>> claimsOf(const netlib::Directory& state, const AttachmentKey& key);

/// An attachment with what the paths of its claims contain: leases are host prefixes without gateway, the target of a
/// forward is the unspecified address and port 1, there are no routes, MACs are zero, each referenced subnet has a
/// SourceNat of its own with masquerade. The bridge is the referenced one, or pons0. Sufficient to undo everything that
/// has a derived name or key; not the chain of a masquerade with several subnets or exceptions, nor the spoof guard.
Attachment attachmentFromClaims(const AttachmentKey& key, const std::vector<std::string>& claims);

/// Removes leases and ports that are not claimed: ADD was killed before it claimed them, or DEL after it released them.
/// They may belong to another attachment by now, whose kernel state has the same keys. False if it removed any.
bool dropUnclaimed(const netlib::Directory& state, Attachment& attachment);

}  // namespace pons
