// Changes to pons' tables in nf_tables: ip and ip6 (nat_table.h, egress_table.h) and bridge (guard_table.h). Where one
// is missing (the first container, or somebody flushed the ruleset) all that is on record is rebuilt, in one
// transaction: other containers get their ports and guards back, too.
#pragma once

#include "plugin/context/context.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/source_subnets.h"

namespace pons::tables {

using netlib::nft::TableFamily;

/// Every family in which pons may have a table.
inline constexpr std::array kAll{TableFamily::Ipv4, TableFamily::Ipv6, TableFamily::Bridge};
netlib::nft::Table tableOf(TableFamily family);
/// "ip", "ip6", "bridge", as nft calls them.
const char* nameOf(TableFamily family);

/// The table with everything in it that does not depend on containers.
void appendSkeleton(netlib::nft::Transaction& transaction, TableFamily table);

/// The families in which the attachment needs one.
std::vector<TableFamily> familiesOf(const Attachment& attachment);

using Changes = std::function<void(netlib::nft::Transaction&)>;

/// Commits the changes for that attachment; where a chain of its networks or a table is missing, that is made first.
/// Takes the host lock for that.
netlib::Result<> commit(Host& host, const Attachment& attachment, const Changes& changes);
/// The same for a caller that has the host lock.
netlib::Result<> commit(Host& host, const netlib::FileLock& hostLock, const Attachment& attachment,
                        const Changes& changes);

/// By the table and the map or set in it.
using Elements = std::map<std::pair<TableFamily, std::string>, std::vector<netlib::nft::Element>>;

/// All that is the attachment's own: its published ports, its masquerade, its guard, the sources of its egress policy.
Elements elementsOf(const Attachment& attachment);
/// What it has together with others, equal for all of them: the ways to the chains of its subnets.
Elements sharedElementsOf(const Attachment& attachment);

void addElements(netlib::nft::Transaction& transaction, const Elements& elements);

/// Deletes elements by their keys, in one transaction where all are there; those that are gone already are fine, and so
/// is a table that is.
netlib::Result<> removeElements(Host& host, const Elements& elements);

/// All that is the attachment's own, with what it shares, comes in one transaction; what is there already as it is to
/// be stays. EEXIST or ENOTEMPTY where something else is there.
netlib::Result<> add(Host& host, const Attachment& attachment);
/// The same in the place of whatever is there: left behind by a lost ledger, or made for another attachment of the
/// container, which publishes the same ports. They lead to the one that has claimed them first.
netlib::Result<> replace(Host& host, const netlib::FileLock& hostLock, const Attachment& attachment);
/// All that is the attachment's own goes, in one transaction where all is there.
netlib::Result<> remove(Host& host, const Attachment& attachment);
/// Ports that other attachments of the container publish, too, lead to the next of them instead.
netlib::Result<> handOver(Host& host, const netlib::FileLock& hostLock, const Attachment& attachment);

/// The attachment with those of its forwards alone that lead to it. Under the host lock.
netlib::Result<Attachment> asLeader(Host& host, Attachment attachment);

/// The chain of an egress policy and its sets, as far as they are there.
netlib::Result<> removeEgress(Host& host, netlib::Family family, const netlib::IfName& hostVeth);

/// Replaces every table that this attachment or one on record needs, whatever is left of it, by what the ledger says;
/// all or nothing.
netlib::Result<> rebuild(Host& host, const netlib::FileLock& hostLock, const Attachment& attachment);

/// Of every family; one that is not there is fine.
netlib::Result<> removeAll(Host& host);

/// Looks at the skeleton: the name of the first chain that is missing or has lost rules; nothing where all is there.
netlib::Result<std::optional<std::string>> missingPart(Host& host, TableFamily family);

}  // namespace pons::tables
