// The chains by which anybody's nf_tables decide what the host forwards.
#pragma once

#include "netlib/filter.h"
#include "netlib/nft.h"

namespace netlib::nft {

/// A chain of a table of family ip, ip6 or inet.
struct ListedChain {
  Table table;
  std::string name;
  bool atForwardHook = false;  ///< a base chain that the kernel enters when it forwards
  bool policyDrops = false;    ///< of a base chain

  /// For messages.
  std::string toString() const;
};

/// Every chain of every table. A dump: one entry a chain, rules not among them.
Result<std::vector<ListedChain>> listAllChains(Socket& netfilter);

/// The rules of a chain in their order; none where it does not exist.
Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain);

}  // namespace netlib::nft
