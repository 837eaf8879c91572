// Which links pons has created: those whose alias begins with kAliasPrefix.
#pragma once

#include <string>

#include "plugin/context/context.h"

namespace pons {

bool isOfPons(const netlib::link::Link& link);

/// True where the bridge has a port that pons has not created: a link of the administrator's, or of a container of the
/// reference plugins, which use an existing bridge of that name.
netlib::Result<bool> servesOthers(Host& host, const netlib::link::Link& bridge);

/// Removes the link of a name that is derived from an attachment's key: without a record it is an orphan of an earlier
/// ADD. ENODEV where there is none; EEXIST where it is of another kind, or not created by pons.
netlib::Result<> removeOrphan(Host& host, const netlib::IfName& name, const std::string& kind);

}  // namespace pons
