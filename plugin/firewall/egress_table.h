// The part of the tables of nat_table.h that enforces egress policies: before DNAT, so that a policy is about the
// destinations that the container used. Bridged packets come here by br_netfilter (step brNetfilterEnabled). Source
// addresses can be trusted, as guard_table.h has filtered them before.
//
// A policy is elements of hash sets whose keys begin with the name of a bridge and a source address, and named objects.
// No element jumps to a chain: the kernel would validate the whole table for each one that is added
// (nft_table_validate()), with the chains of all policies. The comment of an element is the name of the host veth.
//
//   set egress_sources        { bridge . source address }, of containers with a policy
//   set egress_dns            { bridge . source address . DNS server }
//   set egress_ports          { bridge . source address . protocol . port }
//   set egress_any_port       { bridge . source address }, of policies without ports
//   set egress_to_<length>    { bridge . source address . first address of an allowed prefix of that length }
//   map egress_denied         { bridge . source address : counter egress_<host veth> }
//   map egress_logged         { bridge . source address : limit egress_<host veth> }       part EgressLog
//   set egress_rejected       { bridge . source address }, of policies that reject         part EgressReject
//
//   chain egress              hook prerouting, mangle: established connections: accept; in egress_sources: jump
//   chain egress_policy       IPv6 neighbour discovery: accept; an allowed port: jump egress_destinations; DNS: accept;
//                             jump egress_deny
//   chain egress_destinations in a set egress_to_<length>: jump egress_allowed
//   chain egress_allowed      an allowed port: accept
//   chain egress_deny         log within the limit; count; jump egress_answer; drop
//   chain egress_answer       in egress_rejected: jump reject_by_protocol (reject_chain.h)  part EgressReject
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::egress {

inline constexpr const char* kSources = "egress_sources";
inline constexpr const char* kDns = "egress_dns";
inline constexpr const char* kPorts = "egress_ports";
inline constexpr const char* kAnyPort = "egress_any_port";
inline constexpr const char* kDenied = "egress_denied";
inline constexpr const char* kLogged = "egress_logged";
inline constexpr const char* kRejected = "egress_rejected";
inline constexpr const char* kTo = "egress_to";  ///< with a prefix length: see prefix_sets.h

inline constexpr Port kDnsPort = 53;

/// The parts Egress, EgressLog and EgressReject of a table: see tables::appendPart().
void appendEgress(netlib::nft::Transaction& transaction, netlib::Family family);
void appendLog(netlib::nft::Transaction& transaction, netlib::Family family);
void appendReject(netlib::nft::Transaction& transaction, netlib::Family family);

/// Every set and map of these parts.
std::vector<std::string> setsOf(netlib::Family family);

/// By the name of their set. None without an egress policy, or without a source address of the family.
netlib::nft::ElementsBySet elementsOf(const Attachment& attachment, netlib::Family family);

/// The families in which the attachment has a policy: those of its source addresses.
std::vector<netlib::Family> familiesOf(const Attachment& attachment);

/// Whether the policy lets a packet of the container pass to that address: at a port of TCP or UDP, or of another
/// protocol without ports, such as ICMP.
struct Destination {
  netlib::IpAddress address;
  std::optional<Protocol> protocol = std::nullopt;
  Port port = 0;
};
bool permits(const EgressPolicy& policy, const Destination& destination);

/// The name of the counter of denied packets, and of the limit of their log.
std::string objectOf(const netlib::IfName& hostVeth);
/// The inverse; nothing for an object that pons cannot have made.
std::optional<netlib::IfName> vethOfObject(std::string_view object);
/// The host veth of an element; nothing for one that pons cannot have added.
std::optional<netlib::IfName> vethOf(const netlib::nft::Element& element);
/// Whether the element is about one of the attachment's source addresses on its bridge, or names its host veth.
bool isAbout(const netlib::nft::Element& element, const Attachment& attachment);

/// False also for OnDeny::Reject where the kernel cannot: then what the policy denies is dropped.
bool rejects(const Attachment& attachment);
bool logs(const Attachment& attachment);

/// The counter, and the limit of a policy that logs. EEXIST where there is one.
void appendObjects(netlib::nft::Transaction& transaction, const Attachment& attachment, netlib::Family family);
/// The inverse, in all families of the attachment, when no element leads to them any more.
void appendRemoval(netlib::nft::Transaction& transaction, const Attachment& attachment);

}  // namespace pons::egress
