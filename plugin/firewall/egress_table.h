// What of the tables of nat_table.h enforces egress policies: before any destination is translated, so that a policy
// speaks of what the container dialled. Bridged packets come here through br_netfilter; see BridgeFiltered. Sources can
// be trusted, as guard_table.h looks at them first.
//
//   map policies  { bridge . source address : jump to the container's chain }
//   chain egress  prerouting, mangle: by the map policies
//   chain egress_<host veth>  see appendPolicy
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::egress {

inline constexpr const char* kPolicies = "policies";

void appendSkeleton(netlib::nft::Transaction& transaction, netlib::Family family);
/// Its chains with their number of rules.
std::vector<std::pair<const char*, std::size_t>> chains();

/// The attachment's elements of the map policies; none where it may talk to everybody.
std::vector<netlib::nft::Element> elementsOf(const Attachment& attachment, netlib::Family family);

/// The families in which the attachment has a chain of its own.
std::vector<netlib::Family> familiesOf(const Attachment& attachment);

inline constexpr std::string_view kChainPrefix = "egress_";
std::string chainOf(const netlib::IfName& hostVeth);
/// Back; empty where it is no such chain.
std::string vethOf(std::string_view chain);

/// The container's chain and its sets: what belongs to a connection that was let through before, the neighbour
/// discovery of IPv6, DNS to the policy's servers, and its destinations at its ports are accepted; the rest is counted
/// and dropped, and five a minute are logged.
void appendPolicy(netlib::nft::Transaction& transaction, const Attachment& attachment, netlib::Family family);
/// How many rules that makes.
std::size_t ruleCountOf(const Attachment& attachment, netlib::Family family);

/// The sets that come with the chain, and those that may.
std::vector<std::string> setsOf(const Attachment& attachment, netlib::Family family);
std::vector<std::string> setsOf(const netlib::IfName& hostVeth);

}  // namespace pons::egress
