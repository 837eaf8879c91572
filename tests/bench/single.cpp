#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/peers.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

constexpr unsigned kLiving = 50;

/// On a host of its own, beside containers that are up.
Chain occupied(Hosts& hosts, const std::string& name, Chain (*chainOf)(const std::string&, const std::string&)) {
  const Host host = hosts.add(name);
  const Chain chain = chainOf(host.netns, host.stateDir);
  hosts.occupy(host, chain, kLiving);
  return chain;
}

}  // namespace

void single(Hosts& hosts, const Effort& effort, Samples& into) {
  const Host bare = hosts.add("floor");
  hosts.occupy(bare, ponsChain(bare.netns, bare.stateDir), kLiving);
  std::vector candidates{
      candidate(Subject::Pons, occupied(hosts, "pons", ponsChain)), candidate(Subject::Floor, Floor{bare.netns}),
      candidate(Subject::LinkRemoval, LinkRemoval{bare.netns}), candidate(Subject::Start, ProgramStart{})};
  if (effort.referenceRuns > 0) {
    const unsigned every = everyFor(effort.referenceRuns, effort.runs);
    for (const auto& [subject, chainOf] : peers()) {
      candidates.push_back(
          candidate(subject, occupied(hosts, "peer" + std::to_string(candidates.size()), chainOf), every));
    }
  }
  Hosts::settle();
  takeTurns(hosts, candidates, {"single", 0, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
