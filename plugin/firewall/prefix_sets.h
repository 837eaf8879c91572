// Prefixes in sets of single addresses: one set, and so one lookup, for each of a few prefix lengths. Not one set of
// intervals: at each commit the kernel copies all that it has (nft_set_rbtree.c, nft_set_pipapo.c), and nft(8) cannot
// read what it lists of one whose key is a concatenation.
#pragma once

#include <string>
#include <vector>

#include "netlib/values/ip_prefix.h"

namespace pons::prefix_sets {

/// The prefix lengths for which there is a set.
std::vector<int> lengthsOf(netlib::Family family);

/// Those of the next such length that cover the prefix exactly, in ascending order. At most 128.
std::vector<netlib::IpPrefix> partsOf(const netlib::IpPrefix& prefix);

/// "allowed_24"
std::string nameOf(const std::string& beginning, int prefixLength);

/// nameOf() for each of lengthsOf().
std::vector<std::string> namesOf(const std::string& beginning, netlib::Family family);

}  // namespace pons::prefix_sets
