// The service manager that started this process, by the protocol of sd_notify(3).
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pons::ctl {

class Supervisor {
 public:
  /// NOTIFY_SOCKET and WATCHDOG_USEC of the environment; does nothing where the first is not set.
  static Supervisor fromEnvironment();

  void ready() const { notify("READY=1"); }
  /// May be called as often as one likes: sent no more than twice within watchdog().
  void alive();
  void stopping() const { notify("STOPPING=1"); }

  /// How often alive() is to be called: half of what the service manager allows. Nothing without a watchdog.
  std::optional<std::chrono::milliseconds> watchdog() const { return watchdog_; }

 private:
  Supervisor(std::string address, std::optional<std::chrono::milliseconds> watchdog)
      : address_(std::move(address)), watchdog_(watchdog) {}
  /// A datagram that cannot be sent is lost: the service manager then acts upon its absence.
  void notify(std::string_view state) const;

  std::string address_;
  std::optional<std::chrono::milliseconds> watchdog_;
  std::chrono::steady_clock::time_point sent_ = {};  ///< of the last WATCHDOG=1
};

}  // namespace pons::ctl
