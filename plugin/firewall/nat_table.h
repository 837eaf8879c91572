// The nf_tables skeleton of pons: one table "pons" a family, hash maps for what is per container, one small chain for
// each network. Both the packet's way through it and every change are independent of the number of containers.
//
//   map forwards_any  { protocol . host port                : container address . port }
//   map forwards_ip   { host address . protocol . host port : container address . port }
//   set udp_any       { host port }                   of the published ports by UDP
//   set udp_ip        { host address . host port }
//   set masqueraded   { container addresses whose published ports hide who uses them }
//   set bridges       { names of bridges through which 127.0.0.1 is published }           IPv4 alone
//   map sources       { subnet of containers : jump to its chain }
//   set net_<hash>    { addresses of containers that are masqueraded by the chain of that name }
//
//   chain guard       prerouting, raw:    from a bridge of the set to 127.0.0.0/8: drop   IPv4 alone
//   chain arriving    prerouting, raw:    UDP to this host: jump afresh
//   chain leaving     output, raw:        UDP to this host: jump afresh
//   chain afresh      but for ::1, by the sets udp_ip and udp_any: track in a zone of its own
//   chain prerouting  dstnat:             to this host, but not to 127.0.0.0/8: jump forwards
//   chain output      dstnat:             to this host: jump forwards
//   chain forwards    but for ::1, dnat by forwards_ip, then by forwards_any, and the label of published connections
//   chain postrouting srcnat:             published and from 127.0.0.0/8 to a bridge of the set: masquerade   IPv4
//                                         published and to an address of the set masqueraded: masquerade
//                                         source address by the map sources
//   chain net_<hash>  see appendNetwork
//   and what bridge_policies.h and egress_table.h have
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

/// The label (ct label) of connections to published ports: a number that no other program is known to use.
inline constexpr unsigned kPublished = 112;

/// Registers of 4 bytes that one address takes.
netlib::nft::Register addressRegisters(netlib::Family family);

/// The table with everything in it that does not depend on containers. It must not exist, or be deleted before in the
/// same transaction.
void appendSkeleton(netlib::nft::Transaction& transaction, netlib::Family family);

/// Its chains with their number of rules.
std::vector<std::pair<const char*, std::size_t>> chainsOf(netlib::Family family);

/// The map that holds this forward, and its element there.
const char* mapOf(const PortForward& forward);
netlib::nft::Element elementOf(const PortForward& forward);

/// The forward that an element of that map stands for; nothing where it is none of ours.
std::optional<PortForward> forwardOf(const netlib::nft::Element& element, netlib::Family family, std::string_view map);

/// All that the attachment's forwards of a family are, by the names of the maps and sets.
std::map<std::string, std::vector<netlib::nft::Element>> elementsOf(const Attachment& attachment,
                                                                    netlib::Family family);

/// The set that holds a forward by UDP, and its element there.
const char* udpSetOf(const PortForward& forward);
netlib::nft::Element udpElementOf(const PortForward& forward);

/// A protocol and a port, as sets have them.
std::vector<std::uint8_t> portKey(Protocol protocol, Port port);

/// The interval of a subnet, or from one address to another.
std::vector<netlib::nft::Element> intervalElements(const netlib::IpPrefix& subnet);
std::vector<netlib::nft::Element> intervalElements(const netlib::IpAddress& first, const netlib::IpAddress& last);

}  // namespace pons::nat
