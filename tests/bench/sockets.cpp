#include "tests/bench/sockets.h"

#include <cerrno>
#include <cstdint>
#include <system_error>

#include <arpa/inet.h>
#include <sys/socket.h>

#include "tests/support/fake_host.h"

namespace bench {

namespace {

void check(bool succeeded, const char* what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

const sockaddr* generic(const sockaddr_in& address) { return reinterpret_cast<const sockaddr*>(&address); }

}  // namespace

sockaddr_in socketAddress(const std::string& address, unsigned port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, address.c_str(), &result.sin_addr);
  return result;
}

netlib::UniqueFd openSocket(int type) {
  netlib::UniqueFd fd{socket(AF_INET, type | SOCK_CLOEXEC, 0)};
  check(bool{fd}, "socket");
  return fd;
}

netlib::UniqueFd serverIn(const std::string& netns, int type, unsigned port) {
  const support::Inside there{netns};
  netlib::UniqueFd server = openSocket(type);
  const sockaddr_in local = socketAddress("0.0.0.0", port);
  check(bind(server.get(), generic(local), sizeof local) == 0, "bind");
  if (type == SOCK_STREAM) check(listen(server.get(), SOMAXCONN) == 0, "listen");
  return server;
}

void connectTo(const netlib::UniqueFd& socket, const sockaddr_in& to) {
  check(connect(socket.get(), generic(to), sizeof to) == 0, "connect");
}

}  // namespace bench
