// The rules of a packet filter (nf_tables or x_tables), reduced to the verdict of a packet that no condition matches.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "netlib/base/result.h"

namespace netlib::filter {

/// As in nft(8). Continue: the next rule is evaluated, as after a rule without a verdict.
enum class Verdict : std::uint8_t { Continue, Accept, Drop, Return, Jump, Goto };

struct Rule {
  Verdict verdict = Verdict::Continue;
  std::string target = {};  ///< the chain of a jump or goto
  bool conditional = false;
  std::string iifname = {};  ///< that the rule matches by equality; only of nf_tables
  std::string comment = {};
  std::uint64_t handle = 0;  ///< only of nf_tables
};

/// The rules of a chain in their order.
using RulesOf = std::function<Result<std::vector<Rule>>(const std::string& chain)>;

/// True if the base chain drops or rejects a packet that no condition matches: by an unconditional rule, also in a
/// chain reached by an unconditional jump, or by its policy. Damaged: jumps deeper than 16.
Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf);

}  // namespace netlib::filter
