// Chains and rules of all nf_tables tables, also those of other programs.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <tuple>

#include "netlib/nft/transaction.h"
#include "netlib/values/packet_filter.h"

namespace netlib::nft {

/// "inet filter", as in nft(8); of family ip, ip6 or inet.
std::string textOf(const Table& table);

/// A chain of these families.
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

class LookupSet;

/// Chains and sets as packets meet them. Each is read once, when it is first needed.
class ChainReader {
 public:
  /// `netfilter` must outlive this object.
  explicit ChainReader(Socket& netfilter);
  ~ChainReader();
  ChainReader(const ChainReader&) = delete;
  ChainReader& operator=(const ChainReader&) = delete;

  /// The chain's rules in order without those that the packet does not match; none if it does not exist. A condition
  /// is Unknown unless it is about interfaces, addresses, the family or the state of the connection, directly or by a
  /// set or map; also where a set cannot be read. Damaged: a rule cannot be parsed.
  Result<std::vector<filter::Rule>> rulesFor(const Table& table, const std::string& chain,
                                             const filter::Packet& packet);
  /// All rules in order, each as a packet meets it of which nothing is known. Reads no sets. Damaged as above.
  Result<std::vector<filter::Rule>> rulesOf(const Table& table, const std::string& chain);

 private:
  using Key = std::tuple<TableFamily, std::string, std::string>;
  struct Content;
  Result<const Content*> contentOf(const Table& table, const std::string& chain);
  const LookupSet* setOf(const Table& table, const std::string& name);

  Socket& netfilter_;
  std::map<Key, Content> chains_;
  std::map<Key, std::unique_ptr<LookupSet>> sets_;  ///< null: it cannot be read
};

/// ChainReader::rulesOf() of one chain.
Result<std::vector<filter::Rule>> listRules(Socket& netfilter, const Table& table, const std::string& chain);

}  // namespace netlib::nft
