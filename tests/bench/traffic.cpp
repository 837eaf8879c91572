#include <list>
#include <map>

#include "tests/bench/experiments.h"
#include "tests/bench/flow.h"
#include "tests/bench/peers.h"
#include "tests/bench/turns.h"

namespace bench {

namespace {

constexpr unsigned kDatagrams = 2000;
/// Both are below the ports that containers publish.
constexpr unsigned kTcpPort = 5001;
constexpr unsigned kUdpPort = 5002;

/// Two containers of one network, with addresses.
struct Pair {
  Subject subject;
  Host host;
  Container one;
  Container other;
  bool publishes = true;
};

Pair pairOf(Hosts& hosts, Subject subject, const std::string& name, const ChainOf& chainOf) {
  const Host host = hosts.add(name);
  const Chain chain = chainOf(host.netns, host.stateDir);
  Container one = attached(hosts, chain);
  return {.subject = subject, .host = host, .one = std::move(one), .other = attached(hosts, chain)};
}

/// The same links and addresses without any rule: the outside has a route to the containers.
Pair plain(Hosts& hosts) {
  Pair pair{.subject = Subject::Baseline,
            .host = hosts.add("plain-links"),
            .one = hosts.container(),
            .other = hosts.container(),
            .publishes = false};
  ipIn(pair.host.netns, "link add pons0 type bridge\naddr add 10.42.0.1/16 dev pons0\nlink set pons0 up\n");
  support::outputOf({"nsenter", "--net=" + pair.host.netns, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1"});
  ipIn(pair.host.outside, "route add 10.42.0.0/16 via 192.0.2.1\n");
  unsigned number = 2;
  for (Container* container : {&pair.one, &pair.other}) {
    const std::string address = "10.42.0." + std::to_string(number);
    const std::string veth = "veth" + std::to_string(number++);
    container->result = "\"" + address + "/16\"";
    ipIn(pair.host.netns, "link add " + veth + " type veth peer name eth0 netns " + container->id + "\nlink set " +
                              veth + " master pons0 up\n");
    ipIn(container->netns, "addr add " + address + "/16 dev eth0\nlink set eth0 up\nroute add default via 10.42.0.1\n");
  }
  return pair;
}

/// Port of the container's mapping that leads to this one: see portMappings().
Way published(const Pair& pair, unsigned containerPort) {
  if (!pair.publishes) return {pair.host.outside, addressOf(pair.one), containerPort, pair.one.netns, containerPort};
  return {pair.host.outside, kHostAddress, pair.one.port, pair.one.netns, containerPort};
}

std::map<std::string, Way> tcpWays(const Pair& pair) {
  return {{"to outside", {pair.one.netns, kOutside, kTcpPort, pair.host.outside, kTcpPort}},
          {"published port", published(pair, 80)},
          {"container to container", {pair.one.netns, addressOf(pair.other), kTcpPort, pair.other.netns, kTcpPort}}};
}

std::map<std::string, Way> udpWays(const Pair& pair) {
  return {{"to outside", {pair.one.netns, kOutside, kUdpPort, pair.host.outside, kUdpPort}},
          {"published port", published(pair, 53)},
          {"container to container", {pair.one.netns, addressOf(pair.other), kUdpPort, pair.other.netns, kUdpPort}}};
}

/// All ways of a pair, open.
struct Flows {
  Subject subject;
  std::map<std::string, Datagrams> datagrams;
  std::map<std::string, Stream> streams;

  explicit Flows(const Pair& pair) : subject(pair.subject) {
    for (const auto& [name, way] : udpWays(pair)) datagrams.try_emplace(name, way);
    for (const auto& [name, way] : tcpWays(pair)) streams.try_emplace(name, way);
  }
};

void takeRound(const std::vector<const Flows*>& turns, unsigned round, Samples& into) {
  for (const Flows* flows : turns) {
    for (const auto& [way, datagrams] : flows->datagrams) {
      into.add({way, 0, "datagrams a processor second"}, flows->subject, round,
               datagrams.perProcessorSecond(kDatagrams));
    }
  }
  for (const Flows* flows : turns) {
    for (const auto& [way, stream] : flows->streams) {
      into.add({way, 0, "Gbit a second"}, flows->subject, round, stream.gigabitsPerSecond());
    }
  }
}

}  // namespace

void traffic(Hosts& hosts, const Effort& effort, Samples& into) {
  std::vector<Pair> pairs{pairOf(hosts, Subject::Pons, "traffic", ponsChain), plain(hosts)};
  for (const auto& [subject, chainOf] : peers()) {
    if (subject != Subject::ReferenceNftables) continue;
    pairs.push_back(pairOf(hosts, subject, "traffic-reference", chainOf));
  }
  Hosts::settle();
  std::list<Flows> all;
  std::vector<const Flows*> turns;
  for (const Pair& pair : pairs) turns.push_back(&all.emplace_back(pair));
  Samples unused;
  for (unsigned round = 0; round < effort.warmUp(); ++round) takeRound(turns, round, unused);
  for (unsigned round = 0; round < effort.runs * kShortRuns; ++round) takeRound(rotated(turns, round), round, into);
}

}  // namespace bench
