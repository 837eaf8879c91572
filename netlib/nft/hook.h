// Chains and rules of all nf_tables tables, also those of other programs.
#pragma once

#include <optional>

#include "netlib/nft/transaction.h"
#include "netlib/values/packet_filter.h"

namespace netlib::nft {

/// A chain of family ip, ip6 or inet.
struct ListedChain {
  Table table;
  std::string name;
  std::string type = {};                             ///< of a base chain: "filter", "nat", "route"
  std::optional<std::uint32_t> hook = std::nullopt;  ///< of a base chain: NF_INET_*
  bool policyDrops = false;                          ///< of a base chain

  bool atForwardHook() const;

  /// For messages.
  std::string toString() const;
};

/// All chains of these families, without their rules. A dump.
Result<std::vector<ListedChain>> listAllChains(Socket& netfilter);

/// The rules of a chain in order; none if it does not exist. Damaged: one cannot be parsed.
Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain);

}  // namespace netlib::nft
