#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/turns.h"

namespace bench {

void single(Hosts& hosts, const Effort& effort, Samples& into) {
  const Host host = hosts.add("pons");
  const Chain pons = ponsChain(host.netns, host.stateDir);
  hosts.occupy(host, pons);
  const Host bare = hosts.add("floor");
  hosts.occupy(bare, ponsChain(bare.netns, bare.stateDir));

  std::vector candidates{candidate(Subject::Pons, pons), candidate(Subject::Floor, Floor{bare.netns})};
  if (effort.referenceRuns > 0) {
    const Host other = hosts.add("reference");
    const Chain reference = referenceChain(other.netns, other.stateDir);
    hosts.occupy(other, reference);
    candidates.push_back(candidate(Subject::Reference, reference, everyFor(effort.referenceRuns, effort.runs)));
  }
  takeTurns(hosts, candidates, {"single", 0, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
