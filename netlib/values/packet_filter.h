// What is known of a packet filter, whichever program made it: enough to tell what becomes of a packet that no
// condition speaks of.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "netlib/base/result.h"

namespace netlib::filter {

enum class Verdict : std::uint8_t { GoesOn, Accept, Drop, Return, Jump, Goto };

struct Rule {
  Verdict verdict = Verdict::GoesOn;
  std::string target = {};  ///< the chain of a jump or goto
  bool conditional = false;
  std::string incoming = {};  ///< the one interface that it is about, by name, where packets come from; of nf_tables
  std::string comment = {};
  std::uint64_t handle = 0;  ///< of nf_tables
};

/// The rules of a chain in their order.
using RulesOf = std::function<Result<std::vector<Rule>>(const std::string& chain)>;

/// True where the base chain drops, or rejects, a packet that no condition of its rules speaks of: by a rule without
/// conditions, in a chain that is jumped to without conditions, or by its policy.
Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf);

}  // namespace netlib::filter
