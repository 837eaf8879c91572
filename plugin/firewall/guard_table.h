// The nf_tables table that looks at what leaves a container's port of a bridge, where the container cannot reach: who
// it says to be. Which ports it looks at their link group says, from their birth on: a port without elements is closed.
// Hash sets by the port's name, so that neither a packet nor an ADD depends on the number of containers.
//
//   set macs        { port . MAC address that its frames bear }
//   set addresses4  { port . IPv4 address }
//   set addresses6  { port . IPv6 address, its link-local one included }
//   set targets     { the same, as neighbour discovery names it }
//   set target_macs { port . MAC address, likewise }
//
//   chain arriving       prerouting, before the bridge learns anything for others: by link group to the next two
//   chain by_mac         another source MAC: drop
//   chain by_address     the same; then by type of frame; any other, VLAN tags included: drop
//   chain from_arp       about another MAC or address: drop
//   chain from_ipv4      from another address, or a DHCP server's: drop
//   chain from_ipv6      the same; ICMPv6 by the chain from_icmpv6
//   chain from_icmpv6    router advertisements, redirects, multicast queries: drop
//   chain advertisement  neighbour advertisements of another address or MAC: drop
//   chain unspecified    from ::, which is for duplicate address detection and multicast reports: anything else drop
#pragma once

#include "netlib/nft/transaction.h"

#include "plugin/model/attachment.h"

namespace pons::guard {

netlib::nft::Table table();

inline constexpr const char* kMacs = "macs";
inline constexpr const char* kAddresses4 = "addresses4";
inline constexpr const char* kAddresses6 = "addresses6";
inline constexpr const char* kTargets = "targets";
inline constexpr const char* kTargetMacs = "target_macs";

/// The table with everything in it that does not depend on containers; see nat::appendSkeleton.
void appendSkeleton(netlib::nft::Transaction& transaction);

/// Its chains with their number of rules.
std::vector<std::pair<const char*, std::size_t>> chains();

/// The attachment's elements, by set; none where it has no guard.
std::map<std::string, std::vector<netlib::nft::Element>> elementsOf(const Attachment& attachment);

/// What lets the addresses of another interface of the same container in the same network pass at this one's port: a
/// container answers by whichever of them it likes. None where either is not guarded by address, or both are the same.
std::map<std::string, std::vector<netlib::nft::Element>> elementsBetween(const Attachment& attachment,
                                                                         const Attachment& other);

/// The link group (IFLA_GROUP) of ports with that guard, 28783 and 28784; 0, the kernel's default, without one.
std::uint32_t groupOf(SenderGuard guard);

/// The port that an element is about.
std::string portOf(const netlib::nft::Element& element);

}  // namespace pons::guard
