// A machine on which container runtimes are installed and believe that they are at home: a fake host with processes,
// cgroups and directories of its own. Whatever they start, mount or write ends with it.
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

inline constexpr const char* kImage = "localhost/town:latest";
inline constexpr const char* kImageFile = "/run/town.tar";
inline constexpr const char* kImageRoot = "/run/town";

/// The directory of plugins to try instead of pons, such as /usr/lib/cni: from PONS_RUNTIMES_PLUGINS in the
/// environment. It tells whether a test is at fault; what others leave behind is no failure then.
std::optional<std::string> otherPlugins();

class Machine {
 public:
  Machine();

  /// Runs a program there. Among its directories, /run, /var/lib and /var/tmp are empty at first; what is written to
  /// /etc and /opt is seen by nobody else.
  Outcome run(const std::vector<std::string>& argv, const RunOptions& options = {}) const;
  /// The output, without the last line's end, of a program that has to succeed.
  std::string outputOf(const std::vector<std::string>& argv) const;
  /// Starts what runs until the machine ends; what it says goes to /run/<name>.log.
  void startDaemon(const std::string& name, const std::string& command) const;

  /// The only network configuration, /etc/cni/net.d/10-<name>.conflist.
  void configure(const std::string& name, const std::string& conflist) const;

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
  std::optional<ForkedProcess> init_;

  void startInit();
};

/// Calls `work` on a machine; where these programs are missing or the kernel allows none, the case is skipped, loudly.
void onMachine(const std::vector<std::string>& programs, const std::function<void(Machine& machine)>& work);

/// Nothing but what was there before; not asked of others' plugins.
void checkNothingLeft(const Machine& machine, const std::string& stateBefore);

/// Asks until it is answered or `patience` is over.
std::string answerOf(const Place& place, const Endpoint& destination);

}  // namespace support
