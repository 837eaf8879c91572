// The part of the tables of nat_table.h that is about the subnets of containers: the map sources jumps to the chain of
// a packet's source subnet.
//
//   chain subnet_<subnet>  published, destination in the same subnet (hairpin): masquerade     with the part Ports
//                          source address in a network's set: jump to the network's chain (see appendNetwork)
#pragma once

#include "plugin/firewall/nat_table.h"

namespace pons::nat {

inline constexpr const char* kSources = "sources";  // map { subnet : jump to its chain }

std::string subnetChain(const netlib::IpPrefix& subnet);
/// The inverse; nothing for any other chain.
std::optional<netlib::IpPrefix> subnetOfChain(std::string_view chain);

/// The chain, with its hairpin rule where the table has the part Ports.
enum class Hairpin : bool { Without, With };
inline Hairpin hairpinIf(bool hasPorts) { return hasPorts ? Hairpin::With : Hairpin::Without; }
void appendSubnet(netlib::nft::Transaction& transaction, const netlib::IpPrefix& subnet, Hairpin hairpin);
/// That rule alone, at the front of a chain without it: without masquerade the reply to a container that uses a
/// published port of its own subnet would reach it directly, from another address than it connected to. It holds for
/// the published ports of all containers of the subnet.
void appendHairpin(netlib::nft::Transaction& transaction, const netlib::IpPrefix& subnet);

/// The elements of the map sources for the whole subnet.
std::vector<netlib::nft::Element> sourceElements(const netlib::IpPrefix& subnet);
/// Those for several subnets of one family, as disjoint intervals, as the kernel requires: an address in several of
/// them belongs to the narrowest.
std::vector<netlib::nft::Element> sourceElements(std::vector<netlib::IpPrefix> subnets);

/// The jump to a network's chain in a subnet's chain, which must exist.
void appendJump(netlib::nft::Transaction& transaction, const netlib::IpPrefix& subnet, const std::string& networkChain);

/// The chain of a network, the set of that name, and a jump in the chain of each of its subnets, which must exist. The
/// chain returns for destinations in the network, multicast, broadcast and exclusions, and masquerades the rest.
void appendNetwork(netlib::nft::Transaction& transaction, const SourceNat& nat, const std::string& chain,
                   const std::string& comment);
/// The comment of such a chain, which names its network.
std::string networkComment(const NetworkName& network);
/// The inverse; nothing for any other comment.
std::optional<NetworkName> networkIn(std::string_view comment);

}  // namespace pons::nat
