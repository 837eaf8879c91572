// What the kernel's tables contain, compared with what pons would write now.
#pragma once

#include "plugin/firewall/table_transaction.h"
#include "plugin/model/difference.h"

namespace pons::tables {

/// Compares the tables of pons with what `wanted` appends to a transaction, which is not sent. Differences: a chain or
/// set that is missing or of another kind; in a chain that `wanted` creates, the first rule that differs; a rule that
/// it adds to another chain and that is not there; an element that is missing or leads elsewhere; one that `wanted`
/// deletes and that is there. What others have added is none: tables, chains, sets, elements. Takes no lock, and no
/// longer however many containers there are; see nft::listContent for its cost.
netlib::Result<Differences> differencesOf(Host& host, const Changes& wanted);

/// Of what is the attachment's alone: the elements of elementsOf(), and its egress policy. A port that several
/// attachments of the container have claimed must lead to the first of them.
netlib::Result<Differences> differencesOfOwn(Host& host, const Attachment& attachment);

}  // namespace pons::tables
