// One nf_tables rule, written expression by expression.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "netlib/values/ip_prefix.h"

struct nftnl_rule;

namespace netlib::nft {

/// A register of 4 bytes, 0..15. Longer values go on in the following ones.
using Register = std::uint32_t;

/// Of rules and chains, bytes: what nft itself takes (NFTNL_UDATA_COMMENT_MAXLEN, less the NUL).
inline constexpr std::size_t kLongestComment = 127;

enum class Direction : bool { Source, Destination };
enum class Interface : bool { In, Out };

/// Where a header begins; the numbers are the kernel's (NFT_PAYLOAD_*_HEADER).
enum class Header : std::uint8_t { Link = 0, Network = 1, Transport = 2 };

/// Types of ICMPv6 messages (RFC 4861, RFC 3810).
enum class Icmp6 : std::uint8_t {
  MulticastQuery = 130,
  RouterSolicitation = 133,
  RouterAdvertisement = 134,
  NeighbourSolicitation = 135,
  NeighbourAdvertisement = 136,
  Redirect = 137,
  MulticastReport = 143,
};

/// Bytes of a packet. A rule with one that the packet does not have, being too short or a later fragment, matches not.
struct Field {
  Header header;
  std::uint32_t offset;
  std::uint32_t length;
};

/// How a match on a tracked connection is written. iptables-nft calls a chain in which it finds nft's own words
/// incompatible and shows it no more; its words need the kernel's nft_compat.
enum class Dialect : bool { Nft, Iptables };

/// Matches and statements in their order, as in `nft`: the first match that fails ends the rule.
class Rule {
 public:
  Rule();
  ~Rule();
  Rule(Rule&&) noexcept;
  Rule& operator=(Rule&&) noexcept;

  // Loads: a value of the packet into registers.
  Rule& load(Field field, Register to);
  Rule& loadAddress(Family family, Direction direction, Register to);
  Rule& loadTransportProtocol(Register to);
  Rule& loadDestinationPort(Register to);
  Rule& loadInterfaceName(Interface interface, Register to);

  // Matches.
  Rule& address(Direction direction, const IpPrefix& prefix);
  /// fib daddr type local: the packet is addressed to this host.
  Rule& destinationIsLocal();
  /// meta l4proto
  Rule& transportProtocolIs(std::uint8_t protocol);
  /// icmpv6 type
  Rule& icmp6Is(Icmp6 type);
  /// meta iifgroup: the link group of the interface that the packet came in by.
  Rule& interfaceGroupIs(std::uint32_t group);
  Rule& interfaceIs(Interface interface, const std::string& name);
  /// ct status dnat: the connection's destination was translated.
  Rule& destinationWasTranslated(Dialect dialect = Dialect::Nft);
  /// ct state established,related: the packet belongs to a connection that was let through before.
  Rule& connectionIsKnown(Dialect dialect = Dialect::Nft);
  /// ct label: the connection has this label, 0..127. Needs CONFIG_NF_CONNTRACK_LABELS.
  Rule& hasConnectionLabel(unsigned label);
  Rule& inSet(const std::string& set, Register from);
  Rule& notInSet(const std::string& set, Register from);
  Rule& is(Field field, std::span<const std::uint8_t> bytes);
  Rule& isNot(Field field, std::span<const std::uint8_t> bytes);

  // Statements.
  /// Looks the registers up in a map and leaves its data in the registers from `to` on.
  Rule& map(const std::string& map, Register from, Register to);
  /// Goes where the verdict map says; on from here where it has nothing.
  Rule& verdictMap(const std::string& map, Register from);
  Rule& jump(const std::string& chain);
  Rule& returnToCaller();
  Rule& accept();
  Rule& drop();
  Rule& masquerade();
  /// ct original zone set: the connection is looked up among those of this zone. Only before connection tracking, at
  /// priority raw.
  Rule& trackInZone(std::uint16_t zone);
  /// ct label set: adds the label to those that the connection has. Uses the four registers from `scratch` on.
  Rule& labelConnection(unsigned label, Register scratch);
  Rule& translateDestination(Family family, Register address, Register port);
  /// What comes beyond that does not match.
  Rule& atMostEachMinute(std::uint64_t packets);
  /// A line in the kernel's log. Only of the first network namespace, unless net.netfilter.nf_log_all_netns is set.
  Rule& log(const std::string& prefix);
  /// Counts packets and bytes, see countPackets().
  Rule& count();

  /// Shown by `nft list` and by iptables-nft; at most kLongestComment bytes of it.
  Rule& comment(const std::string& text);

 private:
  friend class Transaction;

  struct Free {
    void operator()(nftnl_rule* rule) const;
  };
  class Expression;
  Rule& connectionBits(std::uint32_t key, std::uint32_t bits);
  Rule& iptablesConnectionState(std::uint16_t states);
  Rule& verdict(int code, const std::string* chain);
  Rule& bytesAre(Register from, std::span<const std::uint8_t> bytes);
  Rule& compared(std::uint32_t how, Register from, std::span<const std::uint8_t> bytes);
  Rule& masked(Register in, std::span<const std::uint8_t> mask);
  Rule& isNotZero(Register from);

  std::unique_ptr<nftnl_rule, Free> rule_;
};

}  // namespace netlib::nft
