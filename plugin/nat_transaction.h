// Changes to the nf_tables skeleton. Where it is missing (the first container, or somebody flushed the ruleset) all
// that is on record is rebuilt with it, in one transaction: other containers get their ports back too.
#pragma once

#include "plugin/host.h"
#include "plugin/nat_table.h"

namespace pons::nat {

using Changes = std::function<void(netlib::nft::Transaction&)>;

/// Commits the changes, after rebuilding the family's table where it is missing. Takes the host lock for that.
netlib::Result<> commit(Host& host, netlib::Family family, const Changes& changes);

/// Deletes elements of a map by their keys; those that are gone already are fine, and so is a table that is.
netlib::Result<> removeElements(Host& host, netlib::Family family, const std::string& map,
                                std::span<const netlib::nft::Element> elements);

/// The same for elements of several maps and sets, in one transaction where all are there.
netlib::Result<> removeElements(Host& host, netlib::Family family, const Elements& elements);

/// Replaces the family's table, whatever is left of it, by what the ledger says; all or nothing.
netlib::Result<> rebuild(Host& host, const netlib::FileLock& hostLock, netlib::Family family);

}  // namespace pons::nat
