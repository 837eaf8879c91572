#include "netlib/values/packet_filter.h"

namespace netlib::filter {

namespace {

constexpr int kMaxJumps = 16;  // NFT_JUMP_STACK_SIZE

/// The verdict of the chain for a packet that no condition matches: Accept, Drop, or Return at its end.
Result<Verdict> endOf(const std::string& chain, const RulesOf& rulesOf, int depth) {
  if (depth > kMaxJumps) return fail(Cause::Damaged, "jumps nested deeper than the kernel allows, in chain " + chain);
  for (const Rule& rule : TRY(rulesOf(chain))) {
    if (rule.conditional || rule.verdict == Verdict::Continue) continue;
    if (rule.verdict != Verdict::Jump && rule.verdict != Verdict::Goto) return rule.verdict;
    const Verdict verdict = TRY(endOf(rule.target, rulesOf, depth + 1));
    if (verdict != Verdict::Return || rule.verdict == Verdict::Goto) return verdict;
  }
  return Verdict::Return;
}

}  // namespace

Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf) {
  const Verdict end = TRY(endOf(baseChain, rulesOf, 0));
  return end == Verdict::Drop || (end == Verdict::Return && policyDrops);
}

}  // namespace netlib::filter
