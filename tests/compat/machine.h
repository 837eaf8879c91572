// Several hosts in one test, each with one pod.
#pragma once

#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "netlib/base/unique_fd.h"

#include "tests/support/fake_host.h"

namespace support {

/// A host in small: a network namespace, and a mount namespace with directories of its own for all that plugins and
/// runtimes keep. It sees the containers' namespaces that were there when it was made.
class Machine {
 public:
  /// See makeMachines().
  Machine(FakeHost& host, unsigned number);

  /// On the machine; it must succeed.
  std::string run(const std::vector<std::string>& argv, std::vector<std::string> environment = {},
                  const std::string& input = {}) const;
  void ip(const std::string& commands) const { run({"ip", "-batch", "-"}, {}, commands); }
  void write(const std::string& file, const std::string& text) const { run({"tee", file}, {}, text); }
  /// A process on the machine, concurrent with the test: ends with the answer.
  std::unique_ptr<ForkedProcess> start(const std::vector<std::string>& argv) const;

  unsigned number;
  std::string name;                    ///< of its namespace, for `ip -n`
  std::string netns;                   ///< path of that
  std::string pod;                     ///< path of the namespace of its one pod
  std::vector<std::string> addresses;  ///< of the pod, once it has some

 private:
  /// Takes the calling process there; it ends where that fails.
  void enter() const;

  std::optional<ForkedProcess> keeper_;
  netlib::UniqueFd mounts_;
  netlib::UniqueFd net_;
};

/// The machines 1 to `count`, not joined yet, with lo up.
std::list<Machine> makeMachines(FakeHost& host, unsigned count);

}  // namespace support
