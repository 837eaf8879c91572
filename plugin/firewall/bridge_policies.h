// The part of the tables of nat_table.h that is about whole bridges: which of them may open connections to which.
//
//   set policy_bridges    { names of bridges with an ingress policy }
//   set same_bridge_ok    { bridge . bridge }, the same name twice: its containers may open connections to each other
//   set internal_bridges  { names of bridges that nothing is forwarded to or from }
//   set internal_pairs    { such a name twice }
//
//   chain forwarding       hook forward, priority filter - 1
//                          from or to a bridge in internal_bridges, and not a pair in internal_pairs: drop
//                          from and to a bridge in policy_bridges: jump between_bridges
//   chain between_bridges  ct state established,related: accept; a pair in same_bridge_ok: accept; drop
#pragma once

#include "netlib/nft/transaction.h"

namespace pons::bridges {

inline constexpr const char* kPolicyBridges = "policy_bridges";
inline constexpr const char* kSameBridgeOk = "same_bridge_ok";
inline constexpr const char* kInternalBridges = "internal_bridges";
inline constexpr const char* kInternalPairs = "internal_pairs";

/// The sets and chains; the table must be in the transaction already.
void appendSkeleton(netlib::nft::Transaction& transaction, netlib::Family family);
/// Its chains with their number of rules.
std::vector<std::pair<const char*, std::size_t>> chains();

netlib::nft::Element elementOf(const netlib::IfName& bridge);
/// The key of a pair of that bridge with itself.
netlib::nft::Element pairOf(const netlib::IfName& bridge);

}  // namespace pons::bridges
