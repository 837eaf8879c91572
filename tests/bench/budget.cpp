#include "tests/bench/experiments.h"
#include "tests/bench/peers.h"
#include "tests/bench/watch.h"

namespace bench {

namespace {

void count(Hosts& hosts, Subject subject, const Chain& chain, Samples& into) {
  Counts sum;
  const Call call = [&sum](const Program& program) {
    Counts counts = countsOf(program);
    sum.syscalls += counts.syscalls;
    sum.programs += counts.programs;
    return std::move(counts.out);
  };
  const auto record = [&](const std::string& verb) {
    into.add({"budget", 0, verb + " system calls"}, subject, 0, sum.syscalls);
    into.add({"budget", 0, verb + " programs"}, subject, 0, sum.programs);
    sum = {};
  };
  Container container = hosts.container();
  chain.add(container, call);
  record("ADD");
  chain.del(container, call);
  record("DEL");
}

void weigh(Hosts& hosts, const Chain& pons, unsigned round, Samples& into) {
  const auto weighing = [&](const std::string& verb) -> Call {
    return [&into, verb, round](const Program& program) {
      Peak peak = peakOf(program);
      into.add({"budget", 0, verb + " peak MiB"}, Subject::Pons, round, peak.mebibytes);
      return std::move(peak.out);
    };
  };
  Container container = hosts.container();
  pons.add(container, weighing("ADD"));
  pons.del(container, weighing("DEL"));
}

}  // namespace

void budget(Hosts& hosts, const Effort& effort, Samples& into) {
  const Chain pons = hosts.occupied("watched", ponsChain).chain;
  count(hosts, Subject::Pons, pons, into);
  for (unsigned round = 0; round < effort.warmUp(); ++round) weigh(hosts, pons, round, into);

  if (effort.referenceRuns == 0) return;
  count(hosts, Subject::Reference, hosts.occupied("watched-reference", debianReference).chain, into);
}

}  // namespace bench
