#include "netlib/values/packet_filter.h"

#include <linux/netfilter/xt_conntrack.h>

namespace netlib::filter {

namespace {

constexpr int kMaxJumps = 16;  // NFT_JUMP_STACK_SIZE

void noteConditional(Fate& fate, const std::string& chain, const Rule& rule) {
  const bool mayDrop = rule.verdict == Verdict::Drop || rule.verdict == Verdict::Jump || rule.verdict == Verdict::Goto;
  if (rule.verdict == Verdict::Drop && rule.isNamed) {
    fate.partly.push_back({chain, rule});
  } else if (mayDrop) {
    ++fate.undecided;
  }
}

/// Accept, Drop, or Return at the end of the chain. `jump` is the rule that leads to it: what that names, the chain's
/// rules name as well.
Result<Verdict> endOf(const std::string& chain, const RulesOf& rulesOf, int depth, const Rule& jump, Fate& fate) {
  if (depth > kMaxJumps) return fail(Cause::Damaged, "jumps nested deeper than the kernel allows, in chain " + chain);
  for (Rule rule : TRY(rulesOf(chain))) {
    rule.isNamed |= jump.isNamed;
    if (rule.set.empty()) rule.set = jump.set;
    if (rule.conditional) noteConditional(fate, chain, rule);
    if (rule.conditional || rule.verdict == Verdict::Continue) continue;
    if (rule.verdict == Verdict::Drop) fate.by = {chain, rule};
    if (rule.verdict != Verdict::Jump && rule.verdict != Verdict::Goto) return rule.verdict;
    const Verdict verdict = TRY(endOf(rule.target, rulesOf, depth + 1, rule, fate));
    if (verdict != Verdict::Return || rule.verdict == Verdict::Goto) return verdict;
  }
  return Verdict::Return;
}

}  // namespace

Match inverted(Match match) {
  if (match == Match::Unknown) return match;
  return match == Match::Yes ? Match::No : Match::Yes;
}

Match matchOfXtConntrack(std::span<const std::uint8_t> info, const Packet& packet) {
  xt_conntrack_mtinfo3 wanted{};
  if (info.size() < sizeof wanted || packet.ctState == 0) return Match::Unknown;
  std::memcpy(&wanted, info.data(), sizeof wanted);
  if (wanted.match_flags != XT_CONNTRACK_STATE) return Match::Unknown;
  const std::uint32_t states = packet.ctState | (packet.isDnat ? std::uint32_t{XT_CONNTRACK_STATE_DNAT} : 0U);
  const Match match = (wanted.state_mask & states) != 0 ? Match::Yes : Match::No;
  return (wanted.invert_flags & XT_CONNTRACK_STATE) != 0 ? inverted(match) : match;
}

Result<Fate> fateOf(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf) {
  Fate fate;
  const Verdict end = TRY(endOf(baseChain, rulesOf, 0, {}, fate));
  fate.drops = end == Verdict::Drop || (end == Verdict::Return && policyDrops);
  return fate;
}

Result<bool> drops(const std::string& baseChain, bool policyDrops, const RulesOf& rulesOf) {
  const Fate fate = TRY(fateOf(baseChain, policyDrops, rulesOf));
  return fate.drops;
}

}  // namespace netlib::filter
