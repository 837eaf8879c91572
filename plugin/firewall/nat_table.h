// The nf_tables tables "ip pons" and "ip6 pons": hash maps for what each container has, one small chain for each
// network. The cost of a packet and of every change is independent of the number of containers.
//
// With masquerade or published ports:
//
//   map sources       { subnet of containers : jump to its chain }
//   set net_<hash>    { addresses of containers that the chain of that name masquerades }
//
//   chain postrouting     hook postrouting, srcnat: source address in the map sources: jump
//   chain net_<hash>      see appendNetwork
//
// With published ports, beside these:
//
//   map forwards_any  { protocol . host port                : container address . port }
//   map forwards_ip   { host address . protocol . host port : container address . port }
//   set udp_any       { host port }, of published UDP ports
//   set udp_ip        { host address . host port }, likewise
//   set masqueraded   { addresses of containers with "masqAll": clients of their published ports are masqueraded }
//   set bridges       { names of bridges whose published ports answer at 127.0.0.1 }      IPv4 only
//
//   chain martian_127     hook prerouting, raw:   from a bridge of the set to 127.0.0.0/8: drop      IPv4 only
//   chain raw_prerouting  hook prerouting, raw:   UDP to this host: jump udp_zone
//   chain raw_output      hook output, raw:       UDP to this host: jump udp_zone
//   chain udp_zone        in the sets udp_ip or udp_any, but not to ::1: ct original zone
//   chain prerouting      hook prerouting, dstnat: to this host, but not to 127.0.0.0/8: jump forwards
//   chain output          hook output, dstnat:    to this host: jump forwards
//   chain forwards        not to ::1: dnat by forwards_ip, then by forwards_any, with the ct label of published ports
//   chain postrouting, before its other rule:
//                         published, from 127.0.0.0/8 to a bridge of the set: masquerade             IPv4 only
//                         published, to an address of the set masqueraded: masquerade
//
//   chain published       see bridge_policies.h
//
// And what bridge_policies.h, restricted_ports.h, reject_chain.h and egress_table.h add: see table_parts.h.
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::nat {

netlib::nft::Table tableOf(netlib::Family family);

inline constexpr const char* kForwardsAny = "forwards_any";
inline constexpr const char* kForwardsIp = "forwards_ip";
inline constexpr const char* kUdpAny = "udp_any";
inline constexpr const char* kUdpIp = "udp_ip";
inline constexpr const char* kBridges = "bridges";
inline constexpr const char* kMasqueraded = "masqueraded";

/// The conntrack label (ct label, 0 to 127) of connections to published ports; no other program is known to use it.
inline constexpr unsigned kPublished = 112;

/// The number of 4-byte registers that an address occupies.
netlib::nft::Register addressRegisters(netlib::Family family);

/// The parts SourceNat and Ports of a table: see tables::appendPart().
void appendSourceNat(netlib::nft::Transaction& transaction, netlib::Family family);
void appendPorts(netlib::nft::Transaction& transaction, netlib::Family family);

/// The map of this forward, and its element there.
const char* mapOf(const PortForward& forward);
netlib::nft::Element elementOf(const PortForward& forward);

/// The inverse of elementOf(); nothing where pons could not have added the element.
std::optional<PortForward> forwardOf(const netlib::nft::Element& element, netlib::Family family, std::string_view map);

/// The attachment's elements of a family, by the name of their map or set.
netlib::nft::ElementsBySet elementsOf(const Attachment& attachment, netlib::Family family);

/// The set of a forward by UDP, and its element there.
const char* udpSetOf(const PortForward& forward);
netlib::nft::Element udpElementOf(const PortForward& forward);

/// The key of protocol . port.
std::vector<std::uint8_t> portKey(Protocol protocol, Port port);

/// A start and an end element, as interval sets have them.
std::vector<netlib::nft::Element> intervalElements(const netlib::IpPrefix& subnet);
std::vector<netlib::nft::Element> intervalElements(const netlib::IpAddress& first, const netlib::IpAddress& last);

}  // namespace pons::nat
