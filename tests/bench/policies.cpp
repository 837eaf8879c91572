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
  const ChainOf withPolicy = [](const auto&... host) { return ponsChainWith(host..., kPolicy); };
  const OccupiedHost few = hosts.occupied("one-policy", withPolicy);
  const OccupiedHost many = hosts.occupied("policies", withPolicy);
  PonsContainers others{many.host, kPolicy};
  for (const unsigned size : effort.existing) {
    others.growTo(hosts, size);
    Hosts::settle(size);
    takeTurns(hosts, {candidate(Subject::Pons, many.chain), candidate(Subject::Baseline, few.chain)},
              {"policies", size, effort.warmUp(), effort.fewerRuns()}, into);
  }
}

}  // namespace bench
