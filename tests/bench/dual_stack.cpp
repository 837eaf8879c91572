#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/bench/experiments.h"
#include "tests/bench/turns.h"
#include "tests/support/fake_host.h"

namespace bench {

namespace {

struct Occupied {
  Chain chain;
  Container container;
};

Occupied occupied(Hosts& hosts, const std::string& name, Chain (*chainOf)(const std::string&, const std::string&)) {
  const Host host = hosts.add(name);
  const Chain chain = chainOf(host.netns, host.stateDir);
  hosts.occupy(host, chain);
  return {chain, attached(hosts, chain)};
}

/// Conntrack entries of datagrams that nobody answers, half of them of IPv4: see Hosts::occupy().
void makeFlows(const Container& from, unsigned count) {
  const support::Inside there{from.netns};
  const netlib::UniqueFd socket{::socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  constexpr unsigned kFirstPort = 10'000;
  for (const char* gateway : {"::ffff:10.42.0.1", "fd42::1"}) {
    sockaddr_in6 to{};
    to.sin6_family = AF_INET6;
    inet_pton(AF_INET6, gateway, &to.sin6_addr);
    for (unsigned i = 0; i < count / 2; ++i) {
      to.sin6_port = htons(static_cast<std::uint16_t>(kFirstPort + i));
      if (sendto(socket.get(), "", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 1) {
        throw std::system_error(errno, std::generic_category(), "send");
      }
    }
  }
}

}  // namespace

void dualStack(Hosts& hosts, const Effort& effort, Samples& into) {
  const Occupied one = occupied(hosts, "single", ponsChain);
  const Occupied two = occupied(hosts, "dual", dualStackChain);
  takeTurns(hosts, {candidate(Subject::Pons, two.chain), candidate(Subject::Baseline, one.chain)},
            {"dual stack", 0, effort.warmUp(), effort.runs}, into);

  constexpr unsigned kFlows = 100'000;
  const Occupied busy = occupied(hosts, "flows", dualStackChain);
  makeFlows(busy.container, kFlows);
  takeTurns(hosts, {candidate(Subject::Pons, busy.chain), candidate(Subject::Baseline, two.chain)},
            {"flows", kFlows, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
