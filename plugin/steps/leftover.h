// Links in the way of an ADD whose state directory was lost.
#pragma once

#include <string>

#include "plugin/host.h"

namespace pons {

/// Removes the link of a name that is derived from an attachment: without a record in the ledger it is what an earlier
/// ADD left behind. ENODEV where there is none; EEXIST where it is of another kind, or does not bear the alias of pons.
netlib::Result<> removeLeftover(Host& host, const netlib::IfName& name, const std::string& kind);

}  // namespace pons
