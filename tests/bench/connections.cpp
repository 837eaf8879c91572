#include "tests/bench/connections.h"

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <system_error>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace bench {

namespace {

constexpr unsigned kContainerPort = 80;
constexpr const char* kHostAddress = "192.0.2.1";

void check(bool succeeded, const char* what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in socketAddress(const std::string& address, unsigned port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

netlib::UniqueFd tcpSocket() {
  netlib::UniqueFd fd{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  check(bool{fd}, "socket");
  return fd;
}

netlib::UniqueFd listenIn(const std::string& netns, unsigned port) {
  const support::Inside there{netns};
  netlib::UniqueFd listener = tcpSocket();
  const sockaddr_in local = socketAddress("0.0.0.0", port);
  check(bind(listener.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0, "bind");
  check(listen(listener.get(), SOMAXCONN) == 0, "listen");
  return listener;
}

[[noreturn]] void serve(const netlib::UniqueFd& listener) {
  for (;;) const netlib::UniqueFd connection{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
}

void connectOnce(const sockaddr_in& to) {
  const netlib::UniqueFd connection = tcpSocket();
  // Closed by a reset, as ports that wait in TIME_WAIT run out.
  constexpr linger kReset{.l_onoff = 1, .l_linger = 0};
  check(setsockopt(connection.get(), SOL_SOCKET, SO_LINGER, &kReset, sizeof kReset) == 0, "SO_LINGER");
  check(connect(connection.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0, "connect");
}

/// In the result of its ADD, without the length of the prefix.
std::string ownAddressOf(const Container& container) {
  const std::size_t start = container.result.find("\"10.") + 1;
  return container.result.substr(start, container.result.find('/', start) - start);
}

Container attached(Hosts& hosts, const Chain& chain) {
  Container container = hosts.container();
  chain.add(container);
  return container;
}

}  // namespace

Acceptor::Acceptor(const std::string& netns, unsigned port)
    : server_([listener = std::make_shared<netlib::UniqueFd>(listenIn(netns, port))]() -> int { serve(*listener); }) {}

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
  return bench::connectionsPerSecond(host_.outside, published ? kHostAddress : ownAddressOf(container_),
                                     published ? container_.port : kContainerPort, count);
}

void Service::end() { chain_.del(container_); }

}  // namespace bench
