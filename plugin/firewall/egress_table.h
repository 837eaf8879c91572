// The part of the tables of nat_table.h that enforces egress policies: before DNAT, so that a policy is about the
// destinations that the container used. Bridged packets come here by br_netfilter (step brNetfilterEnabled). Source
// addresses can be trusted, as guard_table.h has filtered them before.
//
//   map policies  { bridge . source address : jump to the container's chain }
//   chain egress  hook prerouting, mangle: established connections: accept; vmap policies
//   chain egress_<host veth>  see appendPolicy()
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::egress {

inline constexpr const char* kPolicies = "policies";

/// The part Egress of a table: see tables::appendPart().
void appendPolicies(netlib::nft::Transaction& transaction, netlib::Family family);

/// The attachment's elements of the map policies; none without an egress policy.
std::vector<netlib::nft::Element> elementsOf(const Attachment& attachment, netlib::Family family);

/// The families in which the attachment has a chain of its own.
std::vector<netlib::Family> familiesOf(const Attachment& attachment);

/// Whether the chain accepts a packet of the container to that address: at a port of TCP or UDP, or of another protocol
/// without ports, such as ICMP.
struct Destination {
  netlib::IpAddress address;
  std::optional<Protocol> protocol = std::nullopt;
  Port port = 0;
};
bool permits(const EgressPolicy& policy, const Destination& destination);

inline constexpr std::string_view kChainPrefix = "egress_";
std::string chainOf(const netlib::IfName& hostVeth);
/// The inverse; nothing for a chain that pons cannot have made.
std::optional<netlib::IfName> vethOf(std::string_view chain);

/// False also for OnDeny::Reject where the kernel cannot: then what the policy denies is dropped.
bool rejects(const Attachment& attachment);

/// The container's chain and its sets. Accepts IPv6 neighbour discovery, DNS to the policy's servers, and the policy's
/// destinations and ports; counts and rejects or drops the rest, and logs up to 5 of these a minute. To reject needs
/// the part Reject.
void appendPolicy(netlib::nft::Transaction& transaction, const Attachment& attachment, netlib::Family family);

/// The inverse, of a chain to which no element leads any more.
void appendRemoval(netlib::nft::Transaction& transaction, const Attachment& attachment);

/// The sets that the attachment's chain refers to, and those that any chain of that veth may refer to.
std::vector<std::string> setsOf(const Attachment& attachment, netlib::Family family);
std::vector<std::string> setsOf(const netlib::IfName& hostVeth);

}  // namespace pons::egress
