#include "tests/bench/flow.h"

#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <memory>
#include <system_error>
#include <vector>

#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/sockets.h"
#include "tests/support/fake_host.h"

namespace bench {

namespace {

constexpr std::size_t kChunk = 4U << 20U;

netlib::UniqueFd connected(const Way& way, int type) {
  const support::Inside there{way.from};
  netlib::UniqueFd socket = openSocket(type);
  connectTo(socket, socketAddress(way.address, way.port));
  return socket;
}

double processorSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

[[noreturn]] void acknowledge(const netlib::UniqueFd& listener) {
  const netlib::UniqueFd connection{accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)};
  std::vector<char> buffer(kChunk);
  while (recv(connection.get(), buffer.data(), buffer.size(), MSG_WAITALL) == static_cast<ssize_t>(kChunk)) {
    if (write(connection.get(), "", 1) != 1) break;
  }
  _exit(0);
}

void check(bool succeeded, const char* what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

Datagrams::Datagrams(const Way& way)
    : receiver_(serverIn(way.to, SOCK_DGRAM, way.toPort)), sender_(connected(way, SOCK_DGRAM)) {}

double Datagrams::perProcessorSecond(unsigned count) const {
  const double start = processorSeconds();
  for (unsigned i = 0; i < count; ++i) check(send(sender_.get(), "", 1, 0) == 1, "send");
  return count / (processorSeconds() - start);
}

Stream::Stream(const Way& way)
    : receiver_([listener = std::make_shared<netlib::UniqueFd>(serverIn(way.to, SOCK_STREAM, way.toPort))]() -> int {
        acknowledge(*listener);
      }),
      sender_(connected(way, SOCK_STREAM)) {}

double Stream::gigabitsPerSecond() const {
  static const std::vector<char> kData(kChunk);
  char answer = 0;
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (std::size_t sent = 0; sent < kChunk;) {
    const ssize_t more = send(sender_.get(), kData.data() + sent, kChunk - sent, 0);
    check(more > 0, "send");
    sent += static_cast<std::size_t>(more);
  }
  check(recv(sender_.get(), &answer, 1, 0) == 1, "receive");
  return static_cast<double>(kChunk) * 8 / 1e9 / std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace bench
