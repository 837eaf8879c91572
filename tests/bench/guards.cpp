#include <array>

#include "tests/bench/connections.h"
#include "tests/bench/experiments.h"
#include "tests/bench/flow.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

constexpr unsigned kPort = 443;
constexpr unsigned kStreamPort = 5001;
constexpr unsigned kConnections = 100;
constexpr unsigned kDatagrams = 2000;

/// A container that publishes a port, and talks to the outside of its host.
struct Talker {
  const char* experiment;  ///< null for the baseline
  Host host;
  Chain chain;
  Container container;
  Acceptor inside;
  Acceptor outside;
  Datagrams datagrams;
  Stream stream;

  Talker(Hosts& hosts, const char* experimentName, const std::string& name, const std::string& members)
      : experiment(experimentName),
        host(hosts.add(name)),
        chain(ponsChainWith(host.netns, host.stateDir, members)),
        container(attached(hosts, chain)),
        inside(container.netns, kContainerPort),
        outside(host.outside, kPort),
        datagrams({container.netns, kOutside, kPort, host.outside, kPort}),
        stream({container.netns, kOutside, kStreamPort, host.outside, kStreamPort}) {}

  double published() const { return connectionsPerSecond(host.outside, kHostAddress, container.port, kConnections); }
  double outgoing() const { return connectionsPerSecond(container.netns, kOutside, kPort, kConnections); }
};

using Figures = std::array<std::pair<const char*, double>, 4>;

Figures figuresOf(const Talker& talker) {
  return {{{"published connections a second", talker.published()},
           {"outgoing connections a second", talker.outgoing()},
           {"Gbit a second", talker.stream.gigabitsPerSecond()},
           {"datagrams a processor second", talker.datagrams.perProcessorSecond(kDatagrams)}}};
}

}  // namespace

void guards(Hosts& hosts, const Effort& effort, Samples& into) {
  const Talker free{hosts, nullptr, "unguarded", R"(, "macspoofchk": false)"};
  const Talker guarded{hosts, "guard", "guarded", ""};
  const Talker limited{hosts, "policy", "limited",
                       R"(, "egressPolicy": {"allowedCidrs": ["10.0.0.0/8", "192.0.2.0/24"]})"};
  const std::vector talkers{&free, &guarded, &limited};
  for (const Talker* talker : talkers) figuresOf(*talker);
  for (unsigned round = 0; round < effort.runs * kShortRuns; ++round) {
    for (const Talker* talker : rotated(talkers, round)) {
      for (const auto& [quantity, value] : figuresOf(*talker)) {
        if (talker->experiment) {
          into.add({talker->experiment, 0, quantity}, Subject::Pons, round, value);
          continue;
        }
        for (const char* experiment : {guarded.experiment, limited.experiment}) {
          into.add({experiment, 0, quantity}, Subject::Baseline, round, value);
        }
      }
    }
  }
  for (const Talker* talker : talkers) talker->chain.del(talker->container);
}

}  // namespace bench
