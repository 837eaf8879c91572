#include <list>
#include <optional>

#include "tests/bench/connections.h"
#include "tests/bench/existing_containers.h"
#include "tests/bench/experiments.h"
#include "tests/bench/floor.h"
#include "tests/bench/peers.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

/// Containers are added on one host; the baseline host keeps a single one.
struct ScaleSetup {
  OccupiedHost alone;
  OccupiedHost pons;
  OccupiedHost plain;  ///< without address translation
  std::optional<OccupiedHost> reference;
  PonsContainers containers;
  std::optional<ReferenceContainers> referenceContainers;

  ScaleSetup(Hosts& hosts, bool withReference)
      : alone(hosts.occupied("alone", ponsChain)),
        pons(hosts.occupied("scale", ponsChain)),
        plain(hosts.occupied("plain", plainChain)),
        containers(pons.host) {
    if (!withReference) return;
    reference = hosts.occupied("scale-reference", debianReference);
    referenceContainers.emplace(reference->host);
  }
};

void attach(Hosts& hosts, const ScaleSetup& setup, const Effort& effort, unsigned size, Samples& into) {
  std::vector candidates{candidate(Subject::Pons, setup.pons.chain), candidate(Subject::Baseline, setup.alone.chain),
                         candidate(Subject::Floor, Floor{setup.pons.host.netns})};
  if (setup.reference) {
    const unsigned few = effort.mostReferenceRuns(size < 5000 ? 3 : 2);
    candidates.push_back(candidate(Subject::Reference, setup.reference->chain, everyFor(few, effort.fewerRuns())));
  }
  takeTurns(hosts, candidates, {"scale", size, effort.warmUp(), effort.fewerRuns()}, into);
}

/// Through the port published last: the iptables rules of the reference plugins are evaluated in order.
void connect(Hosts& hosts, const ScaleSetup& setup, const Effort& effort, unsigned size, Samples& into) {
  constexpr unsigned kWarmUp = 100;
  const auto manyFor = [](const Service& service) { return service.subject() == Subject::Reference ? 200U : 1000U; };
  std::list<Service> services;
  services.emplace_back(hosts, Subject::Pons, setup.pons.host, setup.pons.chain);
  services.emplace_back(hosts, Subject::Baseline, setup.alone.host, setup.alone.chain);
  services.emplace_back(hosts, Subject::Floor, setup.plain.host, setup.plain.chain);
  if (setup.reference) services.emplace_back(hosts, Subject::Reference, setup.reference->host, setup.reference->chain);
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

void scale(Hosts& hosts, const Effort& effort, Samples& into) {
  ScaleSetup setup{hosts, effort.referenceRuns > 0};
  for (const unsigned size : effort.existing) {
    setup.containers.growTo(hosts, size);
    if (setup.referenceContainers) setup.referenceContainers->growTo(size);
    Hosts::settle(size);
    attach(hosts, setup, effort, size, into);
    connect(hosts, setup, effort, size, into);
  }
}

}  // namespace bench
