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

#include <map>

#include "netlib/nft/transaction.h"

#include "plugin/ledger/ledger.h"

namespace pons::bridges {

inline constexpr const char* kPolicyBridges = "policy_bridges";
inline constexpr const char* kSameBridgeOk = "same_bridge_ok";
inline constexpr const char* kInternalBridges = "internal_bridges";
inline constexpr const char* kInternalPairs = "internal_pairs";

/// The part Policies of a table: see tables::appendPart().
void appendPolicies(netlib::nft::Transaction& transaction, netlib::Family family);

netlib::nft::Element elementOf(const netlib::IfName& bridge);
/// The key of a pair of that bridge with itself.
netlib::nft::Element pairOf(const netlib::IfName& bridge);

/// What the sets of each family have of a bridge with that policy, by set.
std::map<std::string, std::vector<netlib::nft::Element>> elementsOf(const netlib::IfName& bridge, IngressPolicy policy);

/// The policy of a bridge: the strictest that an attachment refers to. `state` is shared_state::ingress() of any of its
/// attachments, or its stem. Takes no lock: the answer lasts only while the caller has the host lock.
netlib::Result<IngressPolicy> policyOf(Ledger& ledger, const std::string& state);

/// Whether the attachment's port is isolated: by its own setting, or as every port of the bridge by the policy. One
/// system call where it is not.
netlib::Result<bool> isPortIsolated(Ledger& ledger, const Attachment& attachment);

}  // namespace pons::bridges
