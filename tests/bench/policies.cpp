#include "tests/bench/existing_containers.h"
#include "tests/bench/experiments.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

constexpr const char* kPolicy =
    R"(, "dns": {"nameservers": ["192.0.2.53"]}, "egressPolicy": {"allowedCidrs": ["10.0.0.0/8", "192.0.2.0/24"],
       "allowedTcpPorts": [80, 443]})";

}  // namespace

void policies(Hosts& hosts, const Effort& effort, Samples& into) {
  const Host few = hosts.add("one-policy");
  const Chain alone = ponsChainWith(few.netns, few.stateDir, kPolicy);
  hosts.occupy(few, alone);
  const Host many = hosts.add("policies");
  const Chain beside = ponsChainWith(many.netns, many.stateDir, kPolicy);
  hosts.occupy(many, beside);
  PonsContainers others{many, kPolicy};
  for (const unsigned size : effort.existing) {
    others.growTo(hosts, size);
    Hosts::settle(size);
    takeTurns(hosts, {candidate(Subject::Pons, beside), candidate(Subject::Baseline, alone)},
              {"policies", size, effort.warmUp(), effort.fewerRuns()}, into);
  }
}

}  // namespace bench
