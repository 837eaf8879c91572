// What tables contain, as text that is equal for what a Transaction writes and for what the kernel lists of it: so the
// code that makes a table is also the description of what it must contain.
#pragma once

#include <map>

#include "netlib/nft/transaction.h"

namespace netlib::nft {

struct ChainContent {
  /// False for a chain that the transaction does not create: it may have other rules as well.
  bool isWhole = false;
  /// Of a base chain: "type nat hook prerouting priority -100 policy accept"; else empty.
  std::string base = {};
  /// Their expressions, as "nft --debug=netlink" prints them; without the values of counters.
  std::vector<std::string> rules = {};
};

struct SetContent {
  /// "ifname . ipv4_addr (20 bytes) : verdict flags 0x8"; empty for a set that the transaction does not create.
  std::string type = {};
  std::uint32_t keyType = 0;  ///< as in Set
  std::uint32_t keyLength = 0;
  std::uint32_t dataType = 0;
  bool interval = false;
  std::vector<Element> elements = {};
  std::vector<Element> absent = {};  ///< the keys of those that the transaction deletes
};

struct TableContent {
  bool isDormant = false;  ///< the kernel applies none of its rules
  std::map<std::string, ChainContent> chains = {};
  std::map<std::string, SetContent> sets = {};

  bool empty() const { return chains.empty() && sets.empty(); }
};

/// The chains and sets of `wanted` that the table has, with all rules of these chains, and those elements that `wanted`
/// names (all elements of an interval set); nothing where there is no such table. Two exchanges, and a dump for each
/// chain and each interval set. A change by another process meanwhile may show in part.
Result<std::optional<TableContent>> listContent(Socket& netfilter, const Table& table, const TableContent& wanted);

/// An element as nft prints it: its key, `"pons0" . 10.42.0.7`, and what a map leads to, `10.42.0.7 . 80`,
/// `jump subnet_10.42.0.0/24` or the name of an object; empty for an element of a set. `set` has the types.
std::string keyText(const Element& element, const SetContent& set);
/// An interval: `10.42.0.0/24`, `10.42.0.3-10.42.0.9`. `end` is null where it reaches the greatest key of all.
std::string intervalText(const Element& start, const Element* end, const SetContent& set);
std::string dataText(const Element& element, const SetContent& set);

}  // namespace netlib::nft
