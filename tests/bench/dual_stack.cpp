#include "tests/bench/experiments.h"
#include "tests/bench/turns.h"

namespace bench {

void dualStack(Hosts& hosts, const Effort& effort, Samples& into) {
  const Host one = hosts.add("single");
  const Chain single = ponsChain(one.netns, one.stateDir);
  hosts.occupy(one, single);
  const Host two = hosts.add("dual");
  const Chain dual = dualStackChain(two.netns, two.stateDir);
  hosts.occupy(two, dual);
  takeTurns(hosts, {candidate(Subject::Pons, dual), candidate(Subject::Baseline, single)},
            {"dual stack", 0, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
