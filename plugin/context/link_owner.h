// Whose a link is: what pons makes bears an alias that begins with kAliasPrefix.
#pragma once

#include <string>

#include "plugin/context/context.h"

namespace pons {

bool isOfPons(const netlib::link::Link& link);

/// Whether the bridge has a port that pons did not make: a user's own link, or a container of the reference plugins,
/// which find a bridge of pons and use it as it is.
netlib::Result<bool> servesOthers(Host& host, const netlib::link::Link& bridge);

/// Removes the link of a name that is derived from an attachment: without a record in the ledger it is what an earlier
/// ADD left behind. ENODEV where there is none; EEXIST where it is of another kind, or not of pons.
netlib::Result<> removeLeftover(Host& host, const netlib::IfName& name, const std::string& kind);

}  // namespace pons
