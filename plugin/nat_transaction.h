// Changes to the nf_tables skeleton. Where it is missing (the first container, or somebody flushed the ruleset) all
// that is on record is rebuilt with it, in one transaction: other containers get their ports back too.
#pragma once

#include "plugin/host.h"
#include "plugin/nat_table.h"

namespace pons::nat {

using Changes = std::function<void(netlib::nft::Transaction&)>;

/// Commits the changes, after rebuilding the family's table where it is missing. Takes the host lock for that.
netlib::Result<> commit(Host& host, netlib::Family family, const Changes& changes);

/// Replaces the family's table, whatever is left of it, by what the ledger says; all or nothing. Nothing where nobody
/// on record needs the table.
netlib::Result<> rebuild(Host& host, const netlib::FileLock& hostLock, netlib::Family family);

}  // namespace pons::nat
