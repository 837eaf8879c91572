// Of what the tables of pons consist. A table has the parts that its containers have needed: a kernel may lack what
// another part asks for (kernel_features.h), and each hook costs every packet.
//
// A part comes with the first attachment that needs it and stays as long as the table: an attachment that leaves does
// not ask whether another one needs it, and one more chain is no fault. What a table contains is a function of its
// parts, whatever their order. rebuild() writes those that are needed then. An earlier pons wrote all.
#pragma once

#include <map>
#include <set>

#include "plugin/firewall/table_owner.h"
#include "plugin/model/attachment.h"

namespace pons::tables {

/// Each adds its sets, chains and hooks.
enum class Part : std::uint8_t {
  SourceNat,        ///< nat_table.h, source_subnets.h: masquerade
  Ports,            ///< nat_table.h: published ports. Beside SourceNat, which has its hook after routing
  Policies,         ///< bridge_policies.h
  Reject,           ///< reject_chain.h
  Egress,           ///< egress_table.h
  EgressLog,        ///< likewise, what is denied is logged. Beside Egress
  EgressReject,     ///< likewise, what is denied is rejected. Beside Egress and Reject
  RestrictedPorts,  ///< restricted_ports.h. Beside Ports and Reject
  Guard,            ///< guard_table.h; family bridge, which has no other part
};
using Parts = std::set<Part>;
using PartsByTable = std::map<TableFamily, Parts>;

/// Every part that a table of that family may have.
const Parts& allParts(TableFamily family);

/// The tables that the attachment needs, and of each the parts.
PartsByTable partsOf(const Attachment& attachment);

/// The sets and chains by which parts are recognized: the kernel keeps those that a rule refers to.
netlib::nft::Names markersOf(const Parts& parts);
bool isIn(const netlib::nft::Names& present, Part part);

/// Those that the table has; none where it is missing.
netlib::Result<Parts> presentParts(netlib::Socket& netfilter, TableFamily family);

/// A part without containers. The table must exist, or be in the transaction already, without it; for Ports with
/// SourceNat. Chains of subnets that exist get their hairpin rule by nat::appendHairpin().
void appendPart(netlib::nft::Transaction& transaction, TableFamily family, Part part);

/// The table with these parts and without containers and owner. It must not exist, or be deleted earlier in the same
/// transaction.
void appendSkeleton(netlib::nft::Transaction& transaction, TableFamily family, const Parts& parts);

}  // namespace pons::tables
