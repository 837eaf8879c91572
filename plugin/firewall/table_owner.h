// Which ledger a table of pons belongs to: the map `ledger` has one element, whose data is a hash of the state
// directory's path, and whose comment is the path (ledgerWord()).
//
// Every transaction of pons begins with that element. The kernel ignores it where it is there with equal data, and
// refuses the transaction (EEXIST) where another ledger's is there: so no table is ever written by two ledgers, without
// a lock that both know and without a look at the table before. A table of an earlier pons has no such map (ENOENT):
// additions rebuild it, removals are for the ledger that has a record of what they remove.
#pragma once

#include <array>
#include <map>
#include <set>

#include "netlib/nft/transaction.h"

#include "plugin/context/context.h"

namespace pons::tables {

using netlib::nft::TableFamily;

/// Every family in which pons may have a table.
inline constexpr std::array kAll{TableFamily::Ipv4, TableFamily::Ipv6, TableFamily::Bridge};
netlib::nft::Table tableOf(TableFamily family);
/// "ip", "ip6", "bridge", as nft calls them.
const char* nameOf(TableFamily family);

/// The map, as part of the table's skeleton.
void appendLedgerMap(netlib::nft::Transaction& transaction, TableFamily family);
/// Its element for that ledger.
void appendOwner(netlib::nft::Transaction& transaction, TableFamily family, const Ledger& ledger);

struct Owner {
  std::string ledger;  ///< ledgerWord()
  bool isOurs;
};
/// Nothing where the table is missing, or an earlier pons made it.
netlib::Result<std::optional<Owner>> ownerOf(Host& host, TableFamily family);
/// The ledgerWord() of each table's owner.
netlib::Result<std::set<std::string>> owners(netlib::Socket& netfilter);

using Changes = std::function<void(netlib::nft::Transaction&)>;

/// Commits changes to those tables as their owner, in one transaction. InUse where one belongs to another ledger;
/// ENOENT where it is missing, has no owner, or that other ledger has abandoned it (isAbandoned()): then
/// replaceTables() is needed. Other errors are those of the changes.
netlib::Result<> commitAsOwner(Host& host, const std::set<TableFamily>& families, const Changes& changes);

/// The same for what is removed from one table, and success without any change where it belongs to another ledger:
/// nothing of ours is there. Changes a table without an owner.
netlib::Result<> removeAsOwner(Host& host, TableFamily family, const Changes& changes);

/// Replaces those tables, whatever they contain and whether they exist or not, by what `contents` adds, in one
/// transaction. InUse where one belongs to another ledger and is not abandoned. An abandoned one is replaced with all
/// that it has: that is for containers that no longer exist, unless they are attached to links of other programs.
/// The caller holds the host lock.
netlib::Result<> replaceTables(Host& host, const std::set<TableFamily>& families, const Changes& contents);

}  // namespace pons::tables
