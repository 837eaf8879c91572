// Elements of a lost ledger in those sets where they would add to what an attachment has.
#pragma once

#include "plugin/context/context.h"

namespace pons::tables {

/// Deletes, whoever has added them, all sources that the attachment's published ports allow, and all elements of egress
/// policies of its source addresses.
netlib::Result<> removeOrphansAt(Host& host, const Attachment& attachment);

}  // namespace pons::tables
