// What a lost ledger has left where it would add to what an attachment has.
#pragma once

#include "plugin/context/context.h"

namespace pons::tables {

/// Deletes all sources that the attachment's published ports allow, and all elements and objects of egress policies
/// that are about its source addresses or its host veth, those of other owners included.
netlib::Result<> removeOrphansAt(Host& host, const Attachment& attachment);

}  // namespace pons::tables
