#include <chrono>
#include <list>
#include <optional>
#include <thread>

#include "tests/bench/connections.h"
#include "tests/bench/crowd.h"
#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

/// For what new links send of their own accord, and what the kernel does later.
std::chrono::milliseconds untilQuiet(unsigned links) { return std::chrono::milliseconds{2000 + links}; }

struct Inhabited {
  Host host;
  Chain chain;
};

Inhabited inhabited(Hosts& hosts, const std::string& name, Chain (*chainOf)(const std::string&, const std::string&)) {
  const Host host = hosts.add(name);
  const Chain chain = chainOf(host.netns, host.stateDir);
  hosts.occupy(host, chain);
  return {host, chain};
}

/// The crowd of pons grows on one host; the baseline stays alone on another.
struct Town {
  Inhabited alone;
  Inhabited pons;
  Inhabited plain;  ///< where nothing is translated
  std::optional<Inhabited> reference;
  PonsCrowd crowd;
  std::optional<ReferenceCrowd> referenceCrowd;

  Town(Hosts& hosts, bool withReference)
      : alone(inhabited(hosts, "alone", ponsChain)),
        pons(inhabited(hosts, "crowd", ponsChain)),
        plain(inhabited(hosts, "plain", plainChain)),
        crowd(pons.host) {
    if (!withReference) return;
    reference = inhabited(hosts, "crowd-reference", referenceChain);
    referenceCrowd.emplace(reference->host);
  }
};

void attach(Hosts& hosts, const Town& town, const Effort& effort, unsigned size, Samples& into) {
  std::vector contestants{contestant(Subject::Pons, town.pons.chain), contestant(Subject::Baseline, town.alone.chain),
                          contestant(Subject::Floor, Floor{town.pons.host.netns})};
  if (town.reference) {
    const unsigned few = effort.mostReferenceRuns(size < 5000 ? 3 : 2);
    contestants.push_back(contestant(Subject::Reference, town.reference->chain, everyFor(few, effort.fewerRuns())));
  }
  takeTurns(hosts, contestants, {"crowd", size, effort.warmUp(), effort.fewerRuns()}, into);
}

/// Through the port that was published last: the reference looks at all the others before.
void connect(Hosts& hosts, const Town& town, const Effort& effort, unsigned size, Samples& into) {
  constexpr unsigned kWarmUp = 100;
  const auto manyFor = [](const Service& service) { return service.subject() == Subject::Reference ? 200U : 1000U; };
  std::list<Service> services;
  services.emplace_back(hosts, Subject::Pons, town.pons.host, town.pons.chain);
  services.emplace_back(hosts, Subject::Baseline, town.alone.host, town.alone.chain);
  services.emplace_back(hosts, Subject::Floor, town.plain.host, town.plain.chain);
  if (town.reference) services.emplace_back(hosts, Subject::Reference, town.reference->host, town.reference->chain);
  std::vector<Service*> turns;
  for (Service& service : services) {
    service.connectionsPerSecond(kWarmUp);
    turns.push_back(&service);
  }
  for (unsigned round = 0; round < effort.fewerRuns(); ++round) {
    for (const Service* service : rotated(turns, round)) {
      into.add({"connections", size, "connections a second"}, service->subject(), round,
               service->connectionsPerSecond(manyFor(*service)));
    }
  }
  for (Service& service : services) service.end();
}

}  // namespace

void crowded(Hosts& hosts, const Effort& effort, Samples& into) {
  Town town{hosts, effort.referenceRuns > 0};
  for (const unsigned size : effort.crowds) {
    town.crowd.growTo(hosts, size);
    if (town.referenceCrowd) town.referenceCrowd->growTo(size);
    std::this_thread::sleep_for(untilQuiet(size));
    attach(hosts, town, effort, size, into);
    connect(hosts, town, effort, size, into);
  }
}

}  // namespace bench
