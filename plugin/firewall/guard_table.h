// The nf_tables table "bridge pons", the spoof guard: it filters the frames that a container sends at its port of the
// bridge, outside of the container's reach. The link group of a port selects it from the moment the port exists: a port
// without elements drops everything. Hash sets by port name: a frame and an ADD cost the same with any number of
// containers.
//
//   set macs        { port . source MAC address }
//   set senders4    { port . source MAC address . IPv4 address }
//   set senders6    { port . source MAC address . IPv6 address, its link-local one included }
//   set targets     { port . target address of a neighbour advertisement }
//   set target_macs { port . target MAC address of one }
//
//   chain spoof_guard    hook prerouting, before the bridge learns MACs and before br_netfilter: IPv4 that from_ipv4
//                        would accept: accept, at once as it is the most common; the others by link group to
//   chain by_mac         source MAC not in macs: drop
//   chain by_address     by EtherType; other types, VLAN tags included: drop
//   chain by_trunk       the same for ports of a trunk, whose frames may have one VLAN tag: by the EtherType behind it
//   chain from_arp       source MAC not in macs, or sender MAC and address not in senders4: drop
//   chain from_ipv4      source MAC and address not in senders4, or from a DHCP server's port: drop
//   chain from_ipv6      the same with senders6; ICMPv6: jump from_icmpv6
//   chain from_icmpv6    router advertisements, redirects, multicast queries: drop
//   chain advertisement  neighbour advertisements of another address or MAC: drop
//   chain unspecified    from ::, the source of duplicate address detection and multicast reports: drop anything else,
//                        and what is of a source MAC not in macs
//
// An IP packet costs one lookup: of its MAC and address together.
#pragma once

#include <array>
#include <span>

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::guard {

netlib::nft::Table table();

inline constexpr const char* kMacs = "macs";
inline constexpr const char* kSenders4 = "senders4";
inline constexpr const char* kSenders6 = "senders6";
inline constexpr const char* kTargets = "targets";
inline constexpr const char* kTargetMacs = "target_macs";
inline constexpr std::array kSets{kMacs, kSenders4, kSenders6, kTargets, kTargetMacs};

/// The part Guard of the table: see tables::appendPart().
void appendGuard(netlib::nft::Transaction& transaction);

/// The counters of the chain have the frames that it has dropped.
struct DroppingChain {
  const char* name;
  const char* reason;  ///< what is wrong with them, a word for metrics
};
std::span<const DroppingChain> droppingChains();

/// The attachment's elements; none without a spoof guard.
netlib::nft::ElementsBySet elementsOf(const Attachment& attachment);

/// The elements that allow the addresses of `other`, another interface of the same container in the same network, at
/// the port of `attachment`: Linux answers ARP for any of its addresses at any interface (arp_ignore 0). None where
/// either is not guarded by address, or both are the same.
netlib::nft::ElementsBySet elementsBetween(const Attachment& attachment, const Attachment& other);

/// The link group (IFLA_GROUP) that selects ports with that guard: 28783 to 28785; 0, the kernel's default, without
/// one.
std::uint32_t groupOf(const Attachment& attachment);

/// The port name in an element's key.
std::string portOf(const netlib::nft::Element& element);

}  // namespace pons::guard
