// What a shared state replaced on a bridge that existed before: kept in the ledger until the last reference, with the
// bridge's ifindex. A bridge of that name that was created meanwhile had values of its own.
#pragma once

#include <map>
#include <string>

#include "plugin/context/context.h"

namespace pons {

/// By name, as the step that saves them likes.
using Originals = std::map<std::string, std::string>;

/// Keeps those that are saved for this bridge already, and replaces those of an earlier one. The caller holds the host
/// lock. Errors are those of Ledger::saveOriginals().
netlib::Result<> saveOriginalsOf(Host& host, const netlib::link::Link& bridge, const std::string& sharedState,
                                 Originals originals);

/// Empty where none are saved for this bridge.
netlib::Result<Originals> originalsOf(Host& host, const netlib::link::Link& bridge, const std::string& sharedState);

}  // namespace pons
