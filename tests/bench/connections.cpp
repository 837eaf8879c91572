#include "tests/bench/connections.h"

#include <chrono>
#include <memory>

#include <sys/socket.h>

#include "tests/bench/sockets.h"

namespace bench {

namespace {

[[noreturn]] void serve(const netlib::UniqueFd& listener) {
  for (;;) const netlib::UniqueFd connection{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

void connectOnce(const sockaddr_in& to) {
  const netlib::UniqueFd connection = openSocket(SOCK_STREAM);
  // Closed by a reset, as ports that wait in TIME_WAIT run out.
  constexpr linger kReset{.l_onoff = 1, .l_linger = 0};
  setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &kReset, sizeof kReset);
  connectTo(connection, to);
}

}  // namespace

Acceptor::Acceptor(const std::string& netns, unsigned port)
    : server_([listener = std::make_shared<netlib::UniqueFd>(serverIn(netns, SOCK_STREAM, port))]() -> int {
        serve(*listener);
      }) {}

double connectionsPerSecond(const std::string& from, const std::string& address, unsigned port, unsigned count) {
  const support::Inside there{from};
  const sockaddr_in to = socketAddress(address, port);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (unsigned i = 0; i < count; ++i) connectOnce(to);
  return count / std::chrono::duration<double>(Clock::now() - start).count();
}

Service::Service(Hosts& hosts, Subject subject, const Host& host, const Chain& chain)
    : subject_(subject),
      host_(host),
      chain_(chain),
      container_(attached(hosts, chain)),
      acceptor_(container_.netns, kContainerPort) {}

double Service::connectionsPerSecond(unsigned count) const {
  const bool published = subject_ != Subject::Floor;
  return bench::connectionsPerSecond(host_.outside, published ? kHostAddress : addressOf(container_),
                                     published ? container_.port : kContainerPort, count);
}

void Service::end() { chain_.del(container_); }

}  // namespace bench
