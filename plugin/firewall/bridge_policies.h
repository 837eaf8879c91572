// What of the tables of nat_table.h is about bridges as a whole: which of them may begin to talk to which.
//
//   set limited   { names of bridges with an ingress policy }
//   set within    { a bridge's name twice: of those whose containers talk to each other }
//   set internal  { names of bridges that nothing is forwarded to or from }
//   set confined  { such a name twice }
//
//   chain forwarding       forward, filter: from or to a bridge of the set internal, and not within it: drop
//                                           from and to a bridge of the set limited: jump between_bridges
//   chain between_bridges  an established connection: accept; bridges by the set within: accept; drop
#pragma once

#include "netlib/nft/transaction.h"

namespace pons::bridges {

inline constexpr const char* kLimited = "limited";
inline constexpr const char* kWithin = "within";
inline constexpr const char* kInternal = "internal";
inline constexpr const char* kConfined = "confined";

void appendSkeleton(netlib::nft::Transaction& transaction, netlib::Family family);
/// Its chains with their number of rules.
std::vector<std::pair<const char*, std::size_t>> chains();

netlib::nft::Element elementOf(const netlib::IfName& bridge);
/// The name twice: from and to it.
netlib::nft::Element pairOf(const netlib::IfName& bridge);

}  // namespace pons::bridges
