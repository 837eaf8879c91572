#include "tests/bench/hosts.h"

#include <chrono>
#include <stdexcept>
#include <thread>

#include "netlib/os/sysctl.h"

#include "tests/support/traffic.h"

namespace bench {

namespace {

constexpr unsigned kFirstPort = 20'000;
constexpr std::chrono::milliseconds kAMoment{10};

}  // namespace

void ipIn(const std::string& netns, const std::string& commands) {
  const support::Inside there{netns};
  const support::Outcome outcome = support::run({"ip", "-batch", "-"}, {.environment = {}, .input = commands});
  if (!outcome.ok()) throw std::runtime_error("ip: " + outcome.err);
}

Host Hosts::add(const std::string& name) {
  const std::string outside = "outside-of-" + name;
  const Host host{.netns = machine_.addNamespace("host-" + name),
                  .stateDir = "/run/state-" + name,
                  .outside = machine_.addNamespace(outside)};
  ipIn(host.netns, "link add uplink type veth peer name uplink netns " + outside);
  ipIn(host.netns,
       "link set lo up\n"
       "link set uplink up\n"
       "addr add 192.0.2.1/24 dev uplink\n"
       "route add default via 192.0.2.2\n");
  ipIn(host.outside,
       "link set uplink up\n"
       "addr add 192.0.2.2/24 dev uplink\n"
       "route add default via 192.0.2.1\n");
  return host;
}

Container Hosts::container() {
  const std::string id = "bench" + std::to_string(++containers_);
  return {.id = id, .netns = machine_.addNamespace(id), .port = kFirstPort + containers_};
}

Container attached(Hosts& hosts, const Chain& chain) {
  Container container = hosts.container();
  chain.add(container);
  return container;
}

void Hosts::settle(unsigned links) { std::this_thread::sleep_for(std::chrono::milliseconds{2000 + links}); }

OccupiedHost Hosts::occupied(const std::string& name, const ChainOf& chainOf, unsigned count) {
  const Host host = add(name);
  const Chain chain = chainOf(host.netns, host.stateDir);
  Container existing;
  for (unsigned i = 0; i < count; ++i) existing = attached(*this, chain);
  machine_.inside(host.netns, [] { netlib::sysctl::write("net/netfilter/nf_conntrack_udp_timeout", "3600").value(); });
  // There is no answer; the request alone creates the conntrack entry.
  support::ask(existing.netns, support::Transport::Udp, support::endpoint("10.42.0.1", 9),
               {.source = std::nullopt, .timeout = kAMoment});
  return {host, chain};
}

}  // namespace bench
