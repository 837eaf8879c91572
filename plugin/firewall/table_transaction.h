// Changes to the nf_tables tables of pons: ip and ip6 (nat_table.h, egress_table.h) and bridge (guard_table.h).
//
// Where a table is missing (the first container, or after "nft flush ruleset"), everything that the ledger has recorded
// is rebuilt in one transaction: the published ports and spoof guards of other containers are restored as well.
#pragma once

#include "plugin/context/context.h"
#include "plugin/firewall/nat_table.h"
#include "plugin/firewall/source_subnets.h"
#include "plugin/firewall/table_parts.h"

namespace pons::tables {

/// Commits the changes for that attachment, by one transaction where its chains and tables exist. On ENOENT takes the
/// host lock, which the caller must not hold, adds what the tables lack or rebuilds them, and commits once more.
/// `changes` may be called three times. InUse where a table belongs to another ledger. Other errors are the kernel's:
/// EEXIST for an element with other data, EOPNOTSUPP or EAFNOSUPPORT for a table family that the kernel lacks, EBUSY,
/// ENOMEM.
netlib::Result<> commit(Host& host, const Attachment& attachment, const Changes& changes);
/// The same for a caller that holds the host lock.
netlib::Result<> commit(Host& host, const HostLock& hostLock, const Attachment& attachment, const Changes& changes);

/// By table and name of the map or set.
using Elements = std::map<std::pair<TableFamily, std::string>, std::vector<netlib::nft::Element>>;

/// The elements of the attachment alone: published ports, masquerade, spoof guard, egress policy.
Elements elementsOf(const Attachment& attachment);
/// The elements that attachments of the same subnets share.
Elements sharedElementsOf(const Attachment& attachment);

void addElements(netlib::nft::Transaction& transaction, const Elements& elements);

/// Deletes the elements, in one transaction where all exist, else one by one; missing ones, or a missing table, are no
/// error.
netlib::Result<> removeElements(Host& host, const Elements& elements);

/// Adds the attachment's own and shared elements and its egress objects in one transaction; may take the host lock (see
/// commit). What exists with the same data stays. EEXIST or ENOTEMPTY where something else has these keys.
netlib::Result<> add(Host& host, const Attachment& attachment);
/// The same in place of whatever has these keys: orphans of a lost ledger, or ports of another attachment of the same
/// container. Such a port forwards to the attachment that claimed it first.
netlib::Result<> replace(Host& host, const HostLock& hostLock, const Attachment& attachment);
/// Removes the attachment's own elements and its egress objects, in one transaction where all exist. Takes no lock.
netlib::Result<> remove(Host& host, const Attachment& attachment);
/// The same, but ports that other attachments of the container have claimed as well forward to the next of them.
netlib::Result<> handOver(Host& host, const HostLock& hostLock, const Attachment& attachment);

/// The attachment with only those forwards for which it is the ledger's port owner. The caller holds the host lock.
netlib::Result<Attachment> withOwnedPorts(Host& host, Attachment attachment);

/// Removes the named objects of an egress policy, if they exist.
netlib::Result<> removeEgressObjects(Host& host, netlib::Family family, const netlib::IfName& hostVeth);

/// Replaces every table that this attachment or a recorded one needs, whatever it contains, by what the ledger says;
/// one transaction. That is also the upgrade from a version with other names of chains and sets.
netlib::Result<> rebuild(Host& host, const HostLock& hostLock, const Attachment& attachment);
/// The same for a caller without the host lock.
netlib::Result<> rebuild(Host& host, const Attachment& attachment);
/// After the rollback of this attachment's ADD: rebuilds without it where the tables have parts that it needed and no
/// recorded attachment needs. Takes the host lock.
netlib::Result<> removeUnneeded(Host& host, const Attachment& attachment);

/// Removes the table; none is no error.
netlib::Result<> removeTable(Host& host, TableFamily family);

}  // namespace pons::tables
