// The part of the tables of nat_table.h that answers packets which a policy denies.
//
//   chain reject_by_protocol  ct status dnat: ICMP admin-prohibited; tcp: reset; others: ICMP admin-prohibited
//
// What jumps to it fails with ENOENT without the part, which is then added: see tables::commit(). Packets of ct state
// invalid must be dropped before: a reset in answer to a late segment would end a connection that is allowed
// (iptables-extensions(8), REJECT).
#pragma once

#include "netlib/nft/transaction.h"

namespace pons::reject {

inline constexpr const char* kByProtocol = "reject_by_protocol";

/// The part Reject of a table: see tables::appendPart().
void appendReject(netlib::nft::Transaction& transaction, netlib::Family family);

}  // namespace pons::reject
