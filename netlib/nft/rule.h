// One nf_tables rule, written expression by expression.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "netlib/values/ip_prefix.h"
#include "netlib/values/packet_filter.h"

struct nftnl_rule;

namespace netlib::nft {

/// One of the 16 registers of 4 bytes (NFT_REG32_00 and on), 0..15. A longer value occupies the following ones as well:
/// an interface name, an IPv6 address and the labels of a connection take 4.
using Register = std::uint32_t;

/// Of rules and chains, in bytes: nft's own limit (NFTNL_UDATA_COMMENT_MAXLEN, less the NUL).
inline constexpr std::size_t kLongestComment = 127;

/// Base of a payload expression; the numbers are the kernel's (NFT_PAYLOAD_*_HEADER).
enum class Header : std::uint8_t { Link = 0, Network = 1, Transport = 2 };

/// Types of ICMPv6 messages (RFC 4861, RFC 3810).
enum class Icmpv6Type : std::uint8_t {
  MulticastQuery = 130,
  RouterSolicitation = 133,
  RouterAdvertisement = 134,
  NeighbourSolicitation = 135,
  NeighbourAdvertisement = 136,
  Redirect = 137,
  MulticastReport = 143,
};

/// A raw payload expression, "@nh,96,32" in nft, but in bytes. A rule does not match a packet without these bytes (too
/// short, or not the first fragment).
struct Field {
  Header header;
  std::uint32_t offset;
  std::uint32_t length;
};

using filter::CtState;
using filter::kEstablished;
using filter::kInvalid;
using filter::kRelated;
/// Bits of ct status (IPS_*).
enum CtStatus : std::uint32_t { kDnat = 1U << 5U };

/// RTN_*
enum class AddressType : std::uint32_t { Local = 2 };

/// In seconds.
enum class LimitUnit : std::uint64_t { Minute = 60 };

/// How ctState() and ctStatus() are written. iptables-nft does not list a chain that contains nft's own ct expression
/// ("incompatible"); its own match "conntrack" needs the kernel's nft_compat.
enum class Dialect : bool { Nft, Iptables };

/// Expressions in their order, as in nft(8): the first match that fails ends the rule. Names of sets and chains have at
/// most 255 bytes (NFT_NAME_MAXLEN - 1): the kernel refuses longer ones.
///
/// Registers. A match on a value of the packet, and ctZoneSet(), overwrite the registers from 0 on: saddr(), daddr(),
/// payload(), payloadNot(), protocol(), l4proto(), icmpv6Type(), icmpv6TypeNot(), iifgroup(), iifname(), oifname(),
/// fibDaddrType(), ctState(), ctStatus() (none in Dialect::Iptables) and ctLabel(). So these come before the loads of
/// the lookup that follows. load…() and map() write from `to` on, ctLabelSet() writes the 4 from `scratch` on.
/// lookup(), lookupNot(), map(), object(), vmap() and dnat() read and need the loads before them in the same rule. The
/// other statements use none.
///
/// The kernel checks a rule when the transaction adds it: ERANGE past register 15; ENODATA (recent kernels) where a
/// register is read that the rule has not written; EINVAL where a set's data does not fit; ENOENT where a set or chain
/// was not added before; EOPNOTSUPP for dnat() and masquerade() in a base chain of another type than nat.
class Rule {
 public:
  Rule();
  ~Rule();
  Rule(Rule&&) noexcept;
  Rule& operator=(Rule&&) noexcept;

  // Loads: a value of the packet into registers.
  Rule& loadPayload(Field field, Register to);
  Rule& loadSaddr(Family family, Register to);
  Rule& loadDaddr(Family family, Register to);
  /// ip saddr, ip daddr & the mask of that prefix length.
  Rule& loadSaddr(Family family, int prefixLength, Register to);
  Rule& loadDaddr(Family family, int prefixLength, Register to);
  Rule& loadL4proto(Register to);
  /// th dport: of TCP, UDP and SCTP.
  Rule& loadDport(Register to);
  Rule& loadIifname(Register to);
  Rule& loadOifname(Register to);
  /// ct original daddr and proto-dst: before translation. Only for packets with a conntrack entry.
  Rule& loadCtOriginalDaddr(Family family, Register to);
  Rule& loadCtOriginalDaddr(Family family, int prefixLength, Register to);
  Rule& loadCtOriginalDport(Register to);

  // Matches.
  Rule& saddr(const IpPrefix& prefix);
  Rule& daddr(const IpPrefix& prefix);
  /// fib daddr type. Needs CONFIG_NFT_FIB_IPV4, _IPV6 or _INET.
  Rule& fibDaddrType(AddressType type);
  /// meta protocol: the EtherType; of a frame with a VLAN tag, the one behind the tag. Big-endian.
  Rule& protocol(std::span<const std::uint8_t> etherType);
  /// meta l4proto, IPPROTO_*
  Rule& l4proto(std::uint8_t protocol);
  /// meta l4proto ipv6-icmp icmpv6 type
  Rule& icmpv6Type(Icmpv6Type type);
  Rule& icmpv6TypeNot(Icmpv6Type type);
  /// meta iifgroup: IFLA_GROUP of the input interface.
  Rule& iifgroup(std::uint32_t group);
  Rule& iifname(const std::string& name);
  Rule& oifname(const std::string& name);
  /// ct state: any of the bits, CtState.
  Rule& ctState(std::uint32_t states, Dialect dialect = Dialect::Nft);
  Rule& ctStatus(CtStatus status, Dialect dialect = Dialect::Nft);
  /// ct label, 0..127. Needs CONFIG_NF_CONNTRACK_LABELS.
  Rule& ctLabel(unsigned label);
  /// @set, and != @set
  Rule& lookup(const std::string& set, Register from);
  Rule& lookupNot(const std::string& set, Register from);
  Rule& payload(Field field, std::span<const std::uint8_t> bytes);
  /// Such bytes are there, and are others.
  Rule& payloadNot(Field field, std::span<const std::uint8_t> bytes);

  // Statements.
  /// Looks the registers up in a map and writes its data to the registers from `to` on. No match: the rule ends.
  Rule& map(const std::string& map, Register from, Register to);
  /// The named object to which the map leads: a counter counts the packet, a limit matches as limit() does. No element:
  /// the rule ends. Needs CONFIG_NFT_OBJREF before Linux 6.2.
  Rule& object(const std::string& map, Register from);
  /// Without an element of that key the next rule is evaluated.
  Rule& vmap(const std::string& map, Register from);
  Rule& jump(const std::string& chain);
  /// return
  Rule& returnToCaller();
  Rule& accept();
  Rule& drop();
  /// reject with tcp reset: only behind a match of TCP. None for a segment with RST. Hooks input, forward and output;
  /// prerouting from Linux 5.9. Needs CONFIG_NFT_REJECT_IPV4 or _IPV6.
  Rule& rejectWithReset();
  /// reject with icmp(v6) type admin-prohibited, as rejectWithReset(). The kernel sends none for an ICMP error, for a
  /// broadcast or multicast, for a fragment other than the first, and above net.ipv4.icmp_ratelimit.
  Rule& rejectAsProhibited(Family family);
  Rule& masquerade();
  /// ct original zone set. Only before conntrack: priority raw, in prerouting and output.
  Rule& ctZoneSet(std::uint16_t zone);
  /// ct label set: adds the label to those of the connection.
  Rule& ctLabelSet(unsigned label, Register scratch);
  Rule& dnat(Family family, Register address, Register port);
  /// limit rate, with a burst of as many packets. A packet above the rate does not match.
  Rule& limit(std::uint64_t packets, LimitUnit unit);
  /// A line in the kernel's log. Only of the first network namespace, unless net.netfilter.nf_log_all_netns is set. The
  /// prefix is cut to 127 bytes.
  Rule& log(const std::string& prefix);
  /// Packets and bytes, see countPackets().
  Rule& counter();

  /// Shown by `nft list` and by iptables-nft; cut to kLongestComment bytes.
  Rule& comment(const std::string& text);

 private:
  friend class Transaction;

  struct Free {
    void operator()(nftnl_rule* rule) const;
  };
  class Expression;
  Rule& meta(std::uint32_t key, Register to);
  Rule& address(const IpPrefix& prefix, std::uint32_t offset);
  Rule& interfaceName(std::uint32_t key, const std::string& name);
  Rule& ctBits(std::uint32_t key, std::uint32_t bits);
  Rule& loadCtOriginal(std::uint32_t key, Register to);
  Rule& lookup(const std::string& set, Register from, std::optional<std::uint32_t> to, std::uint32_t flags);
  Rule& xtConntrack(std::uint16_t states);
  Rule& immediateVerdict(int code, const std::string* chain);
  Rule& cmp(std::uint32_t operation, std::span<const std::uint8_t> bytes);
  Rule& bitwiseAnd(std::span<const std::uint8_t> mask, Register number = 0);
  Rule& masked(Family family, int prefixLength, Register number);

  std::unique_ptr<nftnl_rule, Free> rule_;
  std::size_t room_ = 0;  ///< an upper bound of what its attributes take in a message
};

}  // namespace netlib::nft
