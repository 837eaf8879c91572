#include "plugin/ctl/supervisor.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdlib>

#include <sys/socket.h>
#include <sys/un.h>

#include "netlib/base/unique_fd.h"

namespace pons::ctl {

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::optional<std::chrono::milliseconds> halfOf(const std::string& microseconds) {
  std::int64_t number = 0;
  const char* end = microseconds.data() + microseconds.size();
  const auto read = std::from_chars(microseconds.data(), end, number);
  if (read.ec != std::errc{} || read.ptr != end || number <= 0) return std::nullopt;
  return std::chrono::milliseconds{std::max<std::int64_t>(number / 2000, 1)};
}

}  // namespace

Supervisor Supervisor::fromEnvironment() { return {variable("NOTIFY_SOCKET"), halfOf(variable("WATCHDOG_USEC"))}; }

void Supervisor::alive() {
  const auto now = std::chrono::steady_clock::now();
  if (!watchdog_ || now - sent_ < *watchdog_ / 2) return;
  sent_ = now;
  notify("WATCHDOG=1");
}

void Supervisor::notify(std::string_view state) const {
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  if (address_.empty() || address_.size() >= sizeof to.sun_path) return;
  std::ranges::copy(address_, std::begin(to.sun_path));
  if (address_.front() == '@') to.sun_path[0] = '\0';  // of the abstract namespace, see unix(7)
  const netlib::UniqueFd fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  static_cast<void>(sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&to), length));
}

}  // namespace pons::ctl
