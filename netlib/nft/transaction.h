// nf_tables transactions and queries, by libnftnl.
#pragma once

#include <map>
#include <set>
#include <span>
#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/nft/rule.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_prefix.h"

struct nftnl_obj;

namespace netlib::nft {

/// NFPROTO_*
enum class TableFamily : std::uint8_t { Inet = 1, Ipv4 = 2, Bridge = 7, Ipv6 = 10 };

struct TableContent;

struct Table {
  Table(TableFamily tableFamily, std::string tableName) : family(tableFamily), name(std::move(tableName)) {}
  Table(Family ip, std::string tableName) : Table(static_cast<TableFamily>(ip), std::move(tableName)) {}

  TableFamily family;
  std::string name;
};

/// `type` is "nat" or "filter", `hook` one of NF_INET_* (NF_BR_* in family Bridge); the policy is accept.
struct BaseChain {
  std::string name;
  std::string type;
  std::uint32_t hook;
  std::int32_t priority;
};

/// Data types of nft (enum datatypes), 6 bits each in a concatenation. The kernel only stores them; `nft list` needs
/// them to print elements.
enum DataType : std::uint32_t {
  kInteger = 4,
  kIpv4Addr = 7,
  kIpv6Addr = 8,
  kEtherAddr = 9,
  kInetProto = 12,
  kInetService = 13,
  kMark = 19,
  kIfname = 41,
  kVerdict = 0xffffff00,
};
inline constexpr unsigned kConcatBits = 6;  ///< of each field
constexpr std::uint32_t concat(std::uint32_t first, std::uint32_t second) { return first << kConcatBits | second; }

/// Kinds of named objects, to which the elements of a map lead (NFT_OBJECT_*).
enum class ObjectType : std::uint32_t { Counter = 1, Limit = 4 };

/// A set, or a map if dataType is not 0 or it has objects. Lengths in bytes; every field of a concatenation is padded
/// to 4.
struct Set {
  std::string name;
  std::uint32_t keyType;
  std::uint32_t keyLength;
  std::uint32_t dataType = 0;
  std::uint32_t dataLength = 0;
  bool interval = false;
  /// The second field of a key "iifname . raw payload expression" (typeof), without which nft cannot read its own list.
  std::optional<Field> rawField = std::nullopt;
  std::optional<ObjectType> objects = std::nullopt;  ///< of a map that leads to named objects
};

/// An element of a set, a map (data), a verdict map (jumpTo) or a map of named objects (object).
struct Element {
  std::vector<std::uint8_t> key;
  std::vector<std::uint8_t> data = {};
  std::string jumpTo = {};
  std::string object = {};
  bool intervalEnd = false;
  std::string comment = {};  ///< cut to kLongestComment; the kernel compares it with nothing

  friend bool operator==(const Element&, const Element&) = default;
};
using ElementsBySet = std::map<std::string, std::vector<Element>>;  ///< by the name of the set or map

/// Appends to a key or data, padded to a multiple of 4 bytes (registers).
void appendPadded(std::vector<std::uint8_t>& to, std::span<const std::uint8_t> bytes);

/// An interface name padded to IFNAMSIZ.
std::vector<std::uint8_t> keyOf(const IfName& name);

/// Changes that the kernel commits atomically. Nothing is sent before commit() or check(). Names have at most 255 bytes
/// (NFT_NAME_MAXLEN - 1): the kernel refuses longer ones (ERANGE).
class Transaction {
 public:
  Transaction();

  /// Success if it exists, which does not change it.
  void addTable(const Table& table);
  void deleteTable(const Table& table);
  void addChain(const Table& table, const std::string& name, const std::string& comment = {});
  /// The same, and success if it exists, which does not change it.
  void ensureChain(const Table& table, const std::string& name, const std::string& comment = {});
  void addBaseChain(const Table& table, const BaseChain& base);
  /// With its rules. EBUSY: a rule or map element jumps to it.
  void deleteChain(const Table& table, const std::string& name);
  /// With `Existing::Kept` success if there is one of that description.
  enum class Existing : bool { Refused, Kept };
  void addSet(const Table& table, const Set& set, Existing existing = Existing::Refused);
  /// EBUSY: a rule uses it.
  void deleteSet(const Table& table, const std::string& name);
  void addCounter(const Table& table, const std::string& name);
  /// See Rule::limit().
  void addLimit(const Table& table, const std::string& name, std::uint64_t packets, LimitUnit unit);
  /// EBUSY: an element leads to it.
  void deleteObject(const Table& table, ObjectType type, const std::string& name);
  void addRule(const Table& table, const std::string& chain, const Rule& rule);
  /// At the front. EPERM: another process owns the table (NFT_TABLE_F_OWNER).
  void insertRule(const Table& table, const std::string& chain, const Rule& rule);
  /// By the handle from listRules().
  void deleteRule(const Table& table, const std::string& chain, std::uint64_t handle);
  /// Success for elements that exist with equal data; EEXIST with other data.
  void addElements(const Table& table, const std::string& set, std::span<const Element> elements);
  /// By key, data is ignored. ENOENT: an element is missing.
  void deleteElements(const Table& table, const std::string& set, std::span<const Element> elements);

  /// What that table has afterwards, by the add…() so far and by deleteElements(): see content.h. Sends nothing.
  Result<TableContent> contentOf(const Table& table) const;

  /// Sends it with NFNL_MSG_BATCH_END; sends nothing if there is no change. The error is that of the first change that
  /// failed, and then nothing is changed: ENOENT: no such table, chain or set; EEXIST: it exists already; ENOTEMPTY: an
  /// interval partially overlaps another one; those of Rule. Call commit() or check() once.
  Result<> commit(Socket& netfilter);

  /// The error that commit() would return. Changes nothing, but loads the kernel modules for it.
  Result<> check(Socket& netfilter);

 private:
  /// Only NFNL_MSG_BATCH_BEGIN.
  bool isEmpty() const { return batch_.count() == 1 && !batch_.overflowed(); }
  enum class Change : bool { Add, Delete };
  enum class Place : bool { First, Last };
  void putChain(unsigned flags, const Table& table, const std::string& name, const std::string& comment);
  void putObject(unsigned type, unsigned flags, const Table& table, const nftnl_obj& object);
  void putRule(Place place, const Table& table, const std::string& chain, const Rule& rule);
  void changeElements(Change change, const Table& table, const std::string& set, std::span<const Element> elements);

  Batch batch_;
};

Result<bool> hasChain(Socket& netfilter, const Table& table, const std::string& chain);

struct Names {
  std::set<std::string> chains = {};
  std::set<std::string> sets = {};
};
/// Those of them that the table has, in one exchange. ENOENT: no such table.
Result<Names> present(Socket& netfilter, const Table& table, const Names& wanted);

/// Counter of a rule.
struct Counted {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
};

/// The sum of a chain's counters; ENOENT: no such chain.
Result<Counted> countPackets(Socket& netfilter, const Table& table, const std::string& chain);
/// A named counter; ENOENT: none of that name.
Result<Counted> readCounter(Socket& netfilter, const Table& table, const std::string& name);
/// The names of the table's objects of that type. A dump; empty if there is no such table.
Result<std::vector<std::string>> listObjects(Socket& netfilter, const Table& table, ObjectType type);

struct NamedChain {
  std::string name;
  std::string comment;
};

/// The table's chains. A dump; empty if there is no such table.
Result<std::vector<NamedChain>> listChains(Socket& netfilter, const Table& table);

/// The elements of a set, each once. Dumps; empty if there is no such table or set. Disturbed: the kernel reordered the
/// set during each of ten dumps.
Result<std::vector<Element>> listElements(Socket& netfilter, const Table& table, const std::string& set);

/// Succeeds if the kernel has nf_tables and this process may use it.
Result<> probe(Socket& netfilter);

/// The element with that key and its data; nothing if there is none, or no such table or set.
Result<std::optional<Element>> findElement(Socket& netfilter, const Table& table, const std::string& set,
                                           const Element& key);

}  // namespace netlib::nft
