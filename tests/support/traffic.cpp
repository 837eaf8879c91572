#include "tests/support/traffic.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/fake_host.h"

namespace support {
namespace {

using netlib::UniqueFd;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;

  sockaddr* data() { return reinterpret_cast<sockaddr*>(&storage); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

SocketAddress socketAddress(const Endpoint& endpoint) {
  SocketAddress result;
  const auto bytes = endpoint.address.bytes();
  if (endpoint.address.isIpv4()) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(result.storage);
    ipv4.sin_family = AF_INET;
    ipv4.sin_port = htons(endpoint.port);
    std::memcpy(&ipv4.sin_addr, bytes.data(), bytes.size());
    result.size = sizeof ipv4;
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(result.storage);
    ipv6.sin6_family = AF_INET6;
    ipv6.sin6_port = htons(endpoint.port);
    std::memcpy(&ipv6.sin6_addr, bytes.data(), bytes.size());
    result.size = sizeof ipv6;
  }
  return result;
}

std::string addressText(const SocketAddress& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr, text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr, text.data(), text.size());
  }
  return text.data();
}

void check(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::runtime_error(what + ": " + std::strerror(errno));
}

// A socket stays in the namespace that it was made in, so this is the only thing done inside.
UniqueFd makeSocket(const Place& place, Transport transport, netlib::Family family, int flags) {
  std::optional<Inside> there;
  if (place) there.emplace(*place);
  const int type = transport == Transport::Tcp ? SOCK_STREAM : SOCK_DGRAM;
  UniqueFd fd{socket(static_cast<int>(family), type | SOCK_CLOEXEC | flags, 0)};
  check(bool{fd}, "socket");
  const int on = 1;
  check(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0, "SO_REUSEADDR");
  // So that a server on [::] leaves 0.0.0.0 to another.
  if (family == netlib::Family::Ipv6) {
    check(setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0, "IPV6_V6ONLY");
  }
  return fd;
}

void bindTo(const UniqueFd& fd, const Endpoint& local) {
  const SocketAddress address = socketAddress(local);
  check(bind(fd.get(), address.data(), address.size) == 0, "bind to " + local.address.toString());
}

[[noreturn]] void serveTcp(const UniqueFd& listener, const std::string& label) {
  for (;;) {
    SocketAddress peer;
    const UniqueFd connection{accept4(listener.get(), peer.data(), &peer.size, SOCK_CLOEXEC)};
    const std::string answer = label + " " + addressText(peer);
    // A client that has gone away by now is of no interest.
    if (connection) (void)send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
  }
}

[[noreturn]] void serveUdp(const UniqueFd& socket, const std::string& label) {
  for (;;) {
    SocketAddress peer;
    std::array<char, 64> question;
    if (recvfrom(socket.get(), question.data(), question.size(), 0, peer.data(), &peer.size) < 0) continue;
    const std::string answer = label + " " + addressText(peer);
    (void)sendto(socket.get(), answer.data(), answer.size(), 0, peer.data(), peer.size);
  }
}

// Sends until the other side has gone.
int sendForever(const Place& from, const Endpoint& destination) {
  const UniqueFd socket = makeSocket(from, Transport::Tcp, destination.address.family(), 0);
  const SocketAddress to = socketAddress(destination);
  check(connect(socket.get(), to.data(), to.size) == 0, "connect to " + destination.address.toString());
  const std::array<char, 64 * 1024> block{};
  while (send(socket.get(), block.data(), block.size(), MSG_NOSIGNAL) > 0) {}
  return 0;
}

using Clock = std::chrono::steady_clock;

struct Received {
  std::size_t bytes = 0;
  std::chrono::duration<double> time{};
};

// Until the time is over or the other side closes.
Received receiveFor(const UniqueFd& connection, std::chrono::milliseconds time) {
  const auto start = Clock::now();
  std::array<char, 64 * 1024> block;
  Received received;
  while ((received.time = Clock::now() - start) < time) {
    const ssize_t size = recv(connection.get(), block.data(), block.size(), 0);
    if (size == 0) break;
    if (size > 0) received.bytes += static_cast<std::size_t>(size);
  }
  return received;
}

bool becomes(short event, const UniqueFd& fd, std::chrono::milliseconds timeout) {
  pollfd wait{.fd = fd.get(), .events = event, .revents = 0};
  return poll(&wait, 1, static_cast<int>(timeout.count())) == 1;
}

struct Reply {
  std::optional<std::string> text = std::nullopt;
  int error = 0;
};

Reply askOnce(const Place& place, Transport transport, const Endpoint& destination, const AskOptions& options) {
  const auto giveUp = std::chrono::steady_clock::now() + options.timeout;
  const UniqueFd socket = makeSocket(place, transport, destination.address.family(), SOCK_NONBLOCK);
  if (options.source) bindTo(socket, *options.source);
  const SocketAddress to = socketAddress(destination);
  if (connect(socket.get(), to.data(), to.size) != 0 && errno != EINPROGRESS) return {.error = errno};
  if (transport == Transport::Udp && send(socket.get(), "?", 1, 0) != 1) return {.error = errno};
  std::array<char, 256> answer;
  ssize_t size = 0;
  // An ICMP error that comes while connect() still sends is remembered only: EAGAIN, until the next packet's error.
  do {
    if (!becomes(POLLIN, socket, options.timeout)) return {.error = ETIMEDOUT};
    size = recv(socket.get(), answer.data(), answer.size(), 0);
    if (size < 0 && errno == EAGAIN) std::this_thread::sleep_for(std::chrono::milliseconds{10});
  } while (size < 0 && errno == EAGAIN && std::chrono::steady_clock::now() < giveUp);
  if (size < 0) return {.error = errno == EAGAIN ? ETIMEDOUT : errno};
  if (size == 0) return {.error = ECONNRESET};
  return {.text = std::string(answer.data(), static_cast<std::size_t>(size))};
}

}  // namespace

Endpoint endpoint(const std::string& address, std::uint16_t port) {
  return {netlib::IpAddress::parse(address).value(), port};
}

Server::Server(const Place& place, Transport transport, const Endpoint& local, const std::string& label) {
  const UniqueFd socket = makeSocket(place, transport, local.address.family(), 0);
  bindTo(socket, local);
  if (transport == Transport::Tcp) check(listen(socket.get(), SOMAXCONN) == 0, "listen");
  process_.emplace([&]() -> int { transport == Transport::Tcp ? serveTcp(socket, label) : serveUdp(socket, label); });
}

DnsServer::DnsServer(const Place& place, const std::string& address) {
  const Endpoint local = endpoint(address, 53);
  const UniqueFd socket = makeSocket(place, Transport::Udp, local.address.family(), 0);
  bindTo(socket, local);
  process_.emplace([&]() -> int {
    for (;;) {
      SocketAddress peer;
      std::array<char, 512> message;
      const ssize_t size = recvfrom(socket.get(), message.data(), message.size(), 0, peer.data(), &peer.size);
      if (size < 12) continue;
      message[2] = static_cast<char>(message[2] | '\x80');
      (void)sendto(socket.get(), message.data(), static_cast<std::size_t>(size), 0, peer.data(), peer.size);
    }
  });
}

std::optional<std::string> ask(const Place& place, Transport transport, const Endpoint& destination,
                               const AskOptions& options) {
  return askOnce(place, transport, destination, options).text;
}

int errorOfAsking(const Place& place, Transport transport, const Endpoint& destination, const AskOptions& options) {
  return askOnce(place, transport, destination, options).error;
}

double bitsPerSecond(const Transfer& transfer) {
  const UniqueFd listener = makeSocket(transfer.to, Transport::Tcp, transfer.destination.address.family(), 0);
  bindTo(listener, transfer.destination);
  check(listen(listener.get(), 1) == 0, "listen");
  const ForkedProcess sender{[&] { return sendForever(transfer.from, transfer.destination); }};
  if (!becomes(POLLIN, listener, std::chrono::seconds{3})) return 0;
  const UniqueFd connection{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  check(bool{connection}, "accept");
  // So that a stalled transfer ends, too.
  constexpr timeval kPatience{.tv_sec = 0, .tv_usec = 100'000};
  check(setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience) == 0, "SO_RCVTIMEO");
  receiveFor(connection, transfer.after);
  const Received received = receiveFor(connection, transfer.measured);
  return 8 * static_cast<double>(received.bytes) / received.time.count();
}

}  // namespace support
