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

/// Conntrack entries of datagrams that nobody answers, half of them of IPv4: see Hosts::occupied().
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
  const Chain one = hosts.occupied("single", ponsChain, 2).chain;
  const Chain two = hosts.occupied("dual", dualStackChain, 2).chain;
  takeTurns(hosts, {candidate(Subject::Pons, two), candidate(Subject::Baseline, one)},
            {"dual stack", 0, effort.warmUp(), effort.runs}, into);

  constexpr unsigned kFlows = 100'000;
  const Chain busy = hosts.occupied("flows", dualStackChain).chain;
  makeFlows(attached(hosts, busy), kFlows);
  takeTurns(hosts, {candidate(Subject::Pons, busy), candidate(Subject::Baseline, two)},
            {"flows", kFlows, effort.warmUp(), effort.runs}, into);
}

}  // namespace bench
