#include <chrono>

#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/peers.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

/// How many a second are done, from the first start until the last end.
template <class Work>
double rateOf(unsigned count, Work work) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  work();
  return count / std::chrono::duration<double>(Clock::now() - start).count();
}

void takeRound(Hosts& hosts, const std::vector<Candidate>& candidates, unsigned count, unsigned round, Samples& into) {
  for (const Candidate& candidate : rotated(candidates, round)) {
    if (round % candidate.every != 0) continue;
    std::vector<Container> containers;
    for (unsigned i = 0; i < count; ++i) containers.push_back(hosts.container());
    const double adds = rateOf(count, [&] { candidate.addAtOnce(containers); });
    into.add({"at once", count, "ADDs a second"}, candidate.subject, round, adds);
    const double dels = rateOf(count, [&] { candidate.delAtOnce(containers); });
    into.add({"at once", count, "DELs a second"}, candidate.subject, round, dels);
    for (const Container& container : containers) hosts.end(container);
  }
}

}  // namespace

void burst(Hosts& hosts, const Effort& effort, Samples& into) {
  const Chain pons = hosts.occupied("busy", ponsChain).chain;
  const Host bare = hosts.occupied("busy-floor", ponsChain).host;
  std::vector candidates{candidate(Subject::Pons, pons), candidate(Subject::Floor, Floor{bare.netns}),
                         candidate(Subject::LinkRemoval, LinkRemoval{bare.netns})};

  const unsigned rounds = effort.fewerRuns() / 2;
  if (effort.referenceRuns > 0) {
    for (const auto& [subject, chainOf] : peers()) {
      if (subject != Subject::Netavark && subject != Subject::Reference) continue;
      const Chain peer = hosts.occupied("busy-peer" + std::to_string(candidates.size()), chainOf).chain;
      candidates.push_back(candidate(subject, peer, everyFor(effort.mostReferenceRuns(3), rounds)));
    }
  }
  for (const unsigned count : {1U, 8U, 32U, 128U}) {
    for (unsigned round = 0; round < rounds; ++round) takeRound(hosts, candidates, count, round, into);
  }
}

}  // namespace bench
