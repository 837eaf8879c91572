#include <list>

#include "tests/bench/connections.h"
#include "tests/bench/experiments.h"
#include "tests/support/traffic.h"

namespace bench {

namespace {

constexpr const char* kOutside = "192.0.2.2";
constexpr unsigned kPort = 443;

/// A container that talks to the outside of its host.
struct Talker {
  Host host;
  Chain chain;
  Container container;
  Acceptor acceptor;

  Talker(Hosts& hosts, const std::string& name, const std::string& members)
      : host(hosts.add(name)),
        chain(ponsChainWith(host.netns, host.stateDir, members)),
        container(hosts.container()),
        acceptor(host.outside, kPort) {
    chain.add(container);
    connections(100);
  }

  double connections(unsigned count) const { return connectionsPerSecond(container.netns, kOutside, kPort, count); }
  double gigabits() const {
    using std::chrono_literals::operator""ms;
    return support::bitsPerSecond({.from = container.netns,
                                   .to = host.outside,
                                   .destination = support::endpoint(kOutside, 5001),
                                   .after = 100ms,
                                   .measured = 300ms}) /
           1e9;
  }
};

}  // namespace

void guards(Hosts& hosts, const Effort& effort, Samples& into) {
  const Talker free{hosts, "unguarded", R"(, "macspoofchk": false)"};
  const Talker guarded{hosts, "guarded", ""};
  const Talker limited{hosts, "limited", R"(, "egressPolicy": {"allowedCidrs": ["10.0.0.0/8", "192.0.2.0/24"]})"};
  for (unsigned round = 0; round < effort.fewerRuns(); ++round) {
    const auto measure = [&](const std::string& quantity, auto figureOf) {
      const double baseline = figureOf(free);
      for (const auto& [experiment, talker] : {std::pair{"guard", &guarded}, {"policy", &limited}}) {
        into.add({experiment, 0, quantity}, Subject::Baseline, round, baseline);
        into.add({experiment, 0, quantity}, Subject::Pons, round, figureOf(*talker));
      }
    };
    measure("connections a second", [](const Talker& talker) { return talker.connections(1000); });
    measure("Gbit a second", [](const Talker& talker) { return talker.gigabits(); });
  }
  for (const Talker* talker : {&free, &guarded, &limited}) talker->chain.del(talker->container);
}

}  // namespace bench
