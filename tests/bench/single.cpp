#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/peers.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

constexpr unsigned kLiving = 50;  ///< containers on each host

}  // namespace

void single(Hosts& hosts, const Effort& effort, Samples& into) {
  const auto occupied = [&hosts](const std::string& name, const ChainOf& chainOf) {
    return hosts.occupied(name, chainOf, kLiving);
  };
  const Host bare = occupied("floor", ponsChain).host;
  std::vector candidates{
      candidate(Subject::Pons, occupied("pons", ponsChain).chain), candidate(Subject::Floor, Floor{bare.netns}),
      candidate(Subject::LinkRemoval, LinkRemoval{bare.netns}), candidate(Subject::Start, ProgramStart{})};
  if (effort.referenceRuns > 0) {
    const unsigned every = everyFor(effort.referenceRuns, effort.runs);
    for (const auto& [subject, chainOf] : peers()) {
      const Chain chain = occupied("peer" + std::to_string(candidates.size()), chainOf).chain;
      candidates.push_back(candidate(subject, chain, every));
    }
  }
  Hosts::settle();
  takeTurns(hosts, candidates, {"single", 0, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
