// What of the tables of nat_table.h is about the subnets of containers: each has a chain, to which the map sources
// leads.
//
//   chain subnet_<subnet>  to a published port's container in the same subnet (hairpin): masquerade
//                          from an address of a network's set: jump to the network's chain (see nat::appendNetwork)
#pragma once

#include "plugin/firewall/nat_table.h"

namespace pons::nat {

inline constexpr const char* kSources = "sources";  // map { subnet : jump to its chain }

std::string subnetChain(const netlib::IpPrefix& subnet);
/// The subnet again; nothing where it is another chain.
std::optional<netlib::IpPrefix> subnetOfChain(std::string_view chain);

/// The chain with its own rule. Without masquerade the answer to a container that uses a published port of its own
/// subnet would go to it directly, from an address that it did not ask.
void appendSubnet(netlib::nft::Transaction& transaction, const netlib::IpPrefix& subnet);

/// The subnet's elements of the map sources.
std::vector<netlib::nft::Element> sourceElements(const netlib::IpPrefix& subnet);
/// Those of several subnets of one family: where one lies inside of another, its packets come to its own chain. All
/// intervals are disjoint, as the kernel wants them.
std::vector<netlib::nft::Element> sourceElements(std::vector<netlib::IpPrefix> subnets);

/// The chain of a network: nothing is masqueraded that stays inside, is multicast or broadcast, or goes to an excluded
/// destination; the rest is. With the set of that name, and the jumps of the subnets' chains, which must be there.
void appendNetwork(netlib::nft::Transaction& transaction, const SourceNat& nat, const std::string& chain,
                   const std::string& comment);
/// How such a chain names its network in its comment.
std::string networkComment(const NetworkName& network);
/// The network that such a comment names; nothing for any other.
std::optional<NetworkName> networkIn(std::string_view comment);
/// How many rules appendNetwork makes in the chain.
std::size_t ruleCountOf(const SourceNat& nat);

}  // namespace pons::nat
