// Anybody's chains of nf_tables, and what their rules decide.
#pragma once

#include <optional>

#include "netlib/nft/transaction.h"
#include "netlib/values/packet_filter.h"

namespace netlib::nft {

/// A chain of a table of family ip, ip6 or inet.
struct ListedChain {
  Table table;
  std::string name;
  std::string type = {};                             ///< of a base chain: "filter", "nat", "route"
  std::optional<std::uint32_t> hook = std::nullopt;  ///< of a base chain, where the kernel enters it: NF_INET_*
  bool policyDrops = false;                          ///< of a base chain

  /// A base chain that the kernel enters when it forwards.
  bool atForwardHook() const;

  /// For messages.
  std::string toString() const;
};

/// Every chain of every table. A dump: one entry a chain, rules not among them.
Result<std::vector<ListedChain>> listAllChains(Socket& netfilter);

/// The rules of a chain in their order; none where it does not exist.
Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain);

}  // namespace netlib::nft
