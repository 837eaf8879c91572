// What a lost ledger has left where it would add to what an attachment has.
#pragma once

#include "plugin/context/context.h"

namespace pons::tables {

/// Deletes, whoever has added them, all sources that the attachment's published ports allow, and all elements and
/// objects of egress policies that are about its source addresses or its host veth.
netlib::Result<> removeOrphansAt(Host& host, const Attachment& attachment);

}  // namespace pons::tables
