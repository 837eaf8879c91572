// A machine for container runtimes: a fake host with processes, cgroups and directories of its own. All processes,
// mounts and files of the runtimes are removed with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/support/fake_host.h"
#include "tests/support/own_cgroups.h"
#include "tests/support/process.h"
#include "tests/support/traffic.h"

namespace support {

inline constexpr const char* kImage = "localhost/web:latest";
inline constexpr const char* kImageFile = "/run/web.tar";
inline constexpr const char* kImageRoot = "/run/web";

/// The directory of plugins to try instead of pons, such as /usr/lib/cni: from PONS_RUNTIMES_PLUGINS in the
/// environment. For checking the tests themselves; orphans of other plugins are no failure then.
std::optional<std::string> otherPlugins();

class Machine {
 public:
  Machine();

  /// Runs a program there. Among its directories, /run, /var/lib and /var/tmp are empty at first; writes to
  /// /etc and /opt are not visible outside.
  Outcome run(const std::vector<std::string>& argv, const RunOptions& options = {}) const;
  /// The output, without the last line's end, of a program that has to succeed.
  std::string outputOf(const std::vector<std::string>& argv) const;
  /// Programs of that directory come before others of the same name.
  void preferPrograms(const std::string& directory) { preferred_ = directory + ":"; }
  /// Starts what runs until the machine ends; what it says goes to /run/<name>.log.
  void startDaemon(const std::string& name, const std::string& command) const;

  /// The only network configuration, /etc/cni/net.d/10-<name>.conflist.
  void configure(const std::string& name, const std::string& conflist) const;

  /// What a reboot does: no processes, links, rules and network namespaces of containers, and no state of programs in
  /// /run. Disks keep what they have.
  void reboot() const;

  /// The network namespace of a process, by its number there.
  Place placeOf(const std::string& pid) const;
  /// The addresses that an interface there has in the container of a process.
  std::vector<std::string> addressesOf(const std::string& pid, const std::string& interface) const;

  const std::string& outside() const { return outside_; }
  /// All that plugins and runtimes may leave behind in the network and in the directories of plugins.
  std::string state() const;

 private:
  OwnCgroups cgroups_;
  FakeHost host_;
  std::string outside_ = host_.addOutside();
  std::string preferred_;
  std::optional<ForkedProcess> init_;

  void startInit();
};

/// True with PONS_TEST_LONG=1.
bool isLongRun();

/// Asks until it holds; fails the test after 20 seconds, with `log` as a reason.
void waitUntil(const std::string& what, const std::function<bool()>& holds, const std::function<std::string()>& log);

/// Calls `work` on a machine; counts a skip if programs or kernel features are missing.
void onMachine(const std::vector<std::string>& programs, const std::function<void(Machine& machine)>& work);

/// The state is as before; not checked with other plugins.
void checkNothingLeft(const Machine& machine, const std::string& stateBefore);

/// Asks until it is answered or `patience` is over.
std::string answerOf(const Place& place, const Endpoint& destination);

}  // namespace support
