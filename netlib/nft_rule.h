// One nf_tables rule, written expression by expression.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "netlib/ip_prefix.h"

struct nftnl_rule;

namespace netlib::nft {

/// A register of 4 bytes, 0..15. Longer values go on in the following ones.
using Register = std::uint32_t;

enum class Direction : bool { Source, Destination };
enum class Interface : bool { In, Out };

/// Matches and statements in their order, as in `nft`: the first match that fails ends the rule.
class Rule {
 public:
  Rule();
  ~Rule();
  Rule(Rule&&) noexcept;
  Rule& operator=(Rule&&) noexcept;

  // Loads: a value of the packet into registers.
  Rule& loadAddress(Family family, Direction direction, Register to);
  Rule& loadTransportProtocol(Register to);
  Rule& loadDestinationPort(Register to);
  Rule& loadInterfaceName(Interface interface, Register to);

  // Matches.
  Rule& address(Direction direction, const IpPrefix& prefix);
  /// fib daddr type local: the packet is addressed to this host.
  Rule& destinationIsLocal();
  /// ct status dnat: the connection's destination was translated.
  Rule& destinationWasTranslated();
  Rule& inSet(const std::string& set, Register from);

  // Statements.
  /// Looks the registers up in a map and leaves its data in the registers from `to` on.
  Rule& map(const std::string& map, Register from, Register to);
  /// Goes where the verdict map says; on from here where it has nothing.
  Rule& verdictMap(const std::string& map, Register from);
  Rule& jump(const std::string& chain);
  Rule& returnToCaller();
  Rule& drop();
  Rule& masquerade();
  Rule& translateDestination(Family family, Register address, Register port);

 private:
  friend class Transaction;

  struct Free {
    void operator()(nftnl_rule* rule) const;
  };
  class Expression;
  Rule& verdict(int code, const std::string* chain);
  Rule& bytesAre(Register from, std::span<const std::uint8_t> bytes);
  Rule& masked(Register in, std::span<const std::uint8_t> mask);
  Rule& isNotZero(Register from);

  std::unique_ptr<nftnl_rule, Free> rule_;
};

}  // namespace netlib::nft
