#include "tests/bench/turns.h"

#include <iterator>

namespace bench {

namespace {

void takeRound(Hosts& hosts, const std::vector<Candidate>& candidates, const Rounds& rounds, unsigned number,
               Samples& into) {
  std::vector<Container> containers;
  for (std::size_t i = 0; i < candidates.size(); ++i) containers.push_back(hosts.container());
  const auto record = [&](const std::string& verb, const Candidate& candidate, const Cost& cost) {
    into.add(rounds.experiment, rounds.size, verb, candidate.subject, number, cost);
  };
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    record("ADD", candidates[i], candidates[i].add(containers[i]));
  }
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    record("DEL", candidates[i], candidates[i].del(containers[i]));
  }
}

}  // namespace

void takeTurns(Hosts& hosts, const std::vector<Candidate>& candidates, const Rounds& rounds, Samples& into) {
  const auto takingPart = [&](auto condition) {
    std::vector<Candidate> result;
    std::ranges::copy_if(candidates, std::back_inserter(result), condition);
    return result;
  };
  Samples unused;
  const auto always = takingPart([](const Candidate& candidate) { return candidate.every == 1; });
  for (unsigned i = 0; i < rounds.warmUp; ++i) takeRound(hosts, rotated(always, i), rounds, i, unused);
  for (unsigned i = 0; i < rounds.runs; ++i) {
    const auto now = takingPart([i](const Candidate& candidate) { return i % candidate.every == 0; });
    takeRound(hosts, rotated(now, i), rounds, i, into);
  }
}

}  // namespace bench
