#include "netlib/values/packet_filter.h"

namespace netlib::filter {

namespace {

constexpr int kDeepest = 16;  // NFT_JUMP_STACK_SIZE: the kernel allows no deeper jumps

/// What a packet that no condition speaks of meets in that chain: Accept, Drop, or Return at its end.
Result<Verdict> endOf(const std::string& chain, const RulesOf& rulesOf, int depth) {
  if (depth > kDeepest) return fail(ELOOP, "chains jump deeper than the kernel allows, at " + chain);
  for (const Rule& rule : TRY(rulesOf(chain))) {
    if (rule.conditional || rule.verdict == Verdict::GoesOn) continue;
    if (rule.verdict != Verdict::Jump && rule.verdict != Verdict::Goto) return rule.verdict;
    const Verdict there = TRY(endOf(rule.target, rulesOf, depth + 1));
    if (there != Verdict::Return || rule.verdict == Verdict::Goto) return there;
  }
  return Verdict::Return;
}

}  // namespace

Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf) {
  const Verdict end = TRY(endOf(baseChain, rulesOf, 0));
  return end == Verdict::Drop || (end == Verdict::Return && policyDrops);
}

}  // namespace netlib::filter
