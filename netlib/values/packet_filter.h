// The rules of a packet filter (nf_tables or x_tables) as one packet meets them: as far as the packet is known.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/ip_address.h"

namespace netlib::filter {

/// As in nft(8). Continue: the next rule is evaluated, as after a rule without a verdict.
enum class Verdict : std::uint8_t { Continue, Accept, Drop, Return, Jump, Goto };

/// Whether a packet has what a condition asks for. Unknown: that depends on what a Packet does not say.
enum class Match : std::uint8_t { No, Unknown, Yes };
Match inverted(Match match);

/// ct state (NF_CT_STATE_BIT).
enum CtState : std::uint32_t { kInvalid = 1U << 0U, kEstablished = 1U << 1U, kRelated = 1U << 2U, kNew = 1U << 3U };

/// A forwarded packet. Members that are empty, absent or 0 are not known.
struct Packet {
  std::optional<Family> family = std::nullopt;
  std::string iifname = {};
  std::string oifname = {};
  unsigned iif = 0;
  unsigned oif = 0;
  std::optional<IpAddress> source = std::nullopt;
  std::optional<IpAddress> destination = std::nullopt;
  std::uint32_t ctState = 0;  ///< one CtState
  bool isDnat = false;        ///< ct status dnat; known where ctState is
};

/// Of the match "conntrack" of x_tables, revision 3 (struct xt_conntrack_mtinfo3). Unknown where it compares more than
/// the state.
Match matchOfXtConntrack(std::span<const std::uint8_t> info, const Packet& packet);

struct Rule {
  Verdict verdict = Verdict::Continue;
  std::string target = {};   ///< the chain of a jump or goto; empty if an unknown key of a map decides
  bool conditional = false;  ///< at least one of its conditions is Unknown
  bool isNamed = false;      ///< a condition on the packet's interfaces or addresses is met
  std::string set = {};      ///< of nf_tables: the set with the packet's interface or address; empty without one
  std::string comment = {};
  std::uint64_t handle = 0;  ///< only of nf_tables
};

/// The rules of a chain in their order.
using RulesOf = std::function<Result<std::vector<Rule>>(const std::string& chain)>;

/// What becomes of a packet in a base chain if it meets no Unknown condition.
struct Fate {
  struct Place {
    std::string chain;
    Rule rule;
  };

  bool drops = false;
  std::optional<Place> by = std::nullopt;  ///< the rule that drops it; nothing: the policy
  std::vector<Place> partly = {};          ///< conditional rules that drop it, and are named
  std::size_t undecided = 0;               ///< other conditional rules that may drop it
};

/// `rulesOf` gives the rules without those that the packet does not match. Rejecting is dropping. In Fate a rule is
/// named as well, and has the set, where the jump to its chain is. Damaged: jumps deeper than 16.
Result<Fate> fateOf(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf);

/// True if the base chain drops or rejects a packet that no condition matches: by an unconditional rule, also in a
/// chain reached by an unconditional jump, or by its policy. Errors of fateOf().
Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf);

}  // namespace netlib::filter
