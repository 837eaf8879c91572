// Which links pons has created, and which ledger they belong to: their alias names it (plugin/model/link_alias.h). A
// ledger changes and removes no link of another one. A link of an earlier pons, whose alias names no ledger, belongs to
// any.
#pragma once

#include <optional>
#include <string>

#include "plugin/context/context.h"
#include "plugin/model/link_alias.h"

namespace pons {

/// Of any ledger.
bool isOfPons(const netlib::link::Link& link);
/// Of the ledger of `host`.
bool isOwn(const Host& host, const netlib::link::Link& link);
/// The ledgerWord() of another ledger to which the link belongs; nothing for a link of our own or of other programs.
std::optional<std::string> otherLedgerOf(const Host& host, const netlib::link::Link& link);

/// True where a ledger's state directory does not exist any more, as far as this process can see: it may run in another
/// mount namespace, so that a caller looks for links that are in use as well.
bool isGone(const std::string& ledgerWord);
/// True where the state directory is gone and no container has a link of that ledger. A dump of all links.
netlib::Result<bool> isAbandoned(Host& host, const std::string& ledgerWord);

/// InUse: `what` belongs to that ledger, and what to do.
netlib::Error belongsToOther(const std::string& what, const std::string& ledgerWord);

/// True where another ledger uses the bridge: it made it, or has a port of a bridge of other programs. What was changed
/// on it stays when the last attachment of this ledger leaves.
netlib::Result<bool> isInOthersUse(Host& host, const netlib::link::Link& bridge);

/// True where the bridge has a port that this ledger has not created: a link of the administrator's, or of a container
/// of another ledger or of the reference plugins, which use an existing bridge of that name.
netlib::Result<bool> servesOthers(Host& host, const netlib::link::Link& bridge);

/// Removes the link of a name that is derived from an attachment's key, unless it is another ledger's; none is no
/// error.
netlib::Result<> removeNamed(Host& host, const netlib::IfName& name);
/// The same for an ADD, which needs the name: without a record the link is an orphan of an earlier ADD. ENODEV where
/// there is none; InUse where it is of another kind, or not our own.
netlib::Result<> removeOrphan(Host& host, const netlib::IfName& name, const std::string& kind);

}  // namespace pons
