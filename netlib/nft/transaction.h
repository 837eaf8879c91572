// nf_tables objects in atomic transactions. The objects are libnftnl's.
#pragma once

#include <span>
#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/nft/rule.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_prefix.h"

namespace netlib::nft {

/// Which packets a table sees; the numbers are the kernel's (NFPROTO_*).
enum class TableFamily : std::uint8_t { Inet = 1, Ipv4 = 2, Bridge = 7, Ipv6 = 10 };

struct Table {
  Table(TableFamily seen, std::string called) : family(seen), name(std::move(called)) {}
  Table(Family seen, std::string called) : Table(static_cast<TableFamily>(seen), std::move(called)) {}

  TableFamily family;
  std::string name;
};

/// A chain that the kernel enters at a hook. `type` is "nat" or "filter", `hook` one of NF_INET_* (NF_BR_* in the
/// family Bridge).
struct BaseChain {
  std::string name;
  std::string type;
  std::uint32_t hook;
  std::int32_t priority;
};

/// Numbers of nft's data types: the kernel only stores them, `nft list` needs them to print elements.
/// A concatenation is written (first << 6) | second.
enum DataType : std::uint32_t {
  kInteger = 4,
  kIpv4Addr = 7,
  kIpv6Addr = 8,
  kEtherAddr = 9,
  kInetProto = 12,
  kInetService = 13,
  kIfname = 41,
  kVerdict = 0xffffff00,
};
constexpr std::uint32_t concat(std::uint32_t first, std::uint32_t second) { return first << 6 | second; }

/// A set, or a map where dataType is not 0. Lengths in bytes, every part of a concatenation padded to 4.
struct Set {
  std::string name;
  std::uint32_t keyType;
  std::uint32_t keyLength;
  std::uint32_t dataType = 0;
  std::uint32_t dataLength = 0;
  bool interval = false;
  bool hostEndian = false;  ///< so that `nft list` reads the keys in the right order; true for interface names
  /// Of a key of an interface's name and a field for which nft has no name: which bytes it is. Without it nft could not
  /// read what it lists itself.
  std::optional<Field> unnamed = std::nullopt;
};

/// An element of a set, a map (data) or a verdict map (jumpTo).
struct Element {
  std::vector<std::uint8_t> key;
  std::vector<std::uint8_t> data = {};
  std::string jumpTo = {};
  bool intervalEnd = false;

  friend bool operator==(const Element&, const Element&) = default;
};

/// Appends to a key or data, padded to whole registers of 4 bytes.
void appendPadded(std::vector<std::uint8_t>& to, std::span<const std::uint8_t> bytes);

/// An interface's name as sets have it: padded to IFNAMSIZ.
std::vector<std::uint8_t> keyOf(const IfName& name);

/// Changes that the kernel makes all together or not at all.
class Transaction {
 public:
  Transaction();

  /// One that is there already stays as it is.
  void addTable(const Table& table);
  void deleteTable(const Table& table);
  void addChain(const Table& table, const std::string& name, const std::string& comment = {});
  void addBaseChain(const Table& table, const BaseChain& base);
  /// Its rules go first; EBUSY where something still jumps to it.
  void deleteChain(const Table& table, const std::string& name);
  void addSet(const Table& table, const Set& set);
  /// EBUSY where a rule still uses it.
  void deleteSet(const Table& table, const std::string& name);
  void addRule(const Table& table, const std::string& chain, const Rule& rule);
  /// In front of all others. EPERM where the table belongs to another process ("flags owner").
  void insertRule(const Table& table, const std::string& chain, const Rule& rule);
  /// By the number that listRules() tells.
  void deleteRule(const Table& table, const std::string& chain, std::uint64_t handle);
  /// An element that is there with equal data is fine; with other data it is EEXIST.
  void addElements(const Table& table, const std::string& set, std::span<const Element> elements);
  /// By key alone. ENOENT where one is missing, and then none is deleted.
  void deleteElements(const Table& table, const std::string& set, std::span<const Element> elements);

  /// Ends the transaction and sends it; without a change nothing is sent, as the kernel does not answer to one that is
  /// empty. The error is that of the first change that failed: ENOENT where a table, chain or set is missing, EEXIST
  /// where something is there that must not be, ENOTEMPTY where an interval overlaps another one in part.
  Result<> commit(Socket& netfilter);

  /// What commit() would say; the kernel takes back all that it has done. Loads the modules that it takes.
  Result<> check(Socket& netfilter);

 private:
  /// There is nothing but the bracket that begins it.
  bool isEmpty() const { return batch_.count() == 1; }
  enum class Change : bool { Add, Delete };
  enum class Place : bool { First, Last };
  void putRule(Place place, const Table& table, const std::string& chain, const Rule& rule);
  void changeElements(Change change, const Table& table, const std::string& set, std::span<const Element> elements);

  Batch batch_;
};

/// The chain's rules; ENOENT where it does not exist.
Result<std::size_t> countRules(Socket& netfilter, const Table& table, const std::string& chain);

/// Packets and bytes that a rule has counted.
struct Counted {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

/// The sum of a chain's counters; ENOENT where the chain does not exist.
Result<Counted> countPackets(Socket& netfilter, const Table& table, const std::string& chain);

/// A chain's name and comment.
struct NamedChain {
  std::string name;
  std::string comment;
};

/// The table's chains, and the elements of a set. Dumps; empty where there is no such table or set.
Result<std::vector<NamedChain>> listChains(Socket& netfilter, const Table& table);
Result<std::vector<Element>> listElements(Socket& netfilter, const Table& table, const std::string& set);

/// Succeeds where this kernel has nf_tables and this process may use it.
Result<> probe(Socket& netfilter);

/// The element with that key as the kernel has it; nothing where there is none, or no such table or set.
Result<std::optional<Element>> findElement(Socket& netfilter, const Table& table, const std::string& set,
                                           const Element& key);

}  // namespace netlib::nft
