// A host of its own for one test: network and mount namespaces in which the test may do as it likes. The machine's own
// interfaces, rules and kernel parameters are never touched.
#pragma once

#include <filesystem>
#include <string>
#include <type_traits>
#include <vector>

#include "netlib/base/unique_fd.h"

#include "tests/support/process.h"

namespace support {

/// The namespace of a path for as long as this object lives, for this thread; ends the test program where that fails.
class Inside {
 public:
  explicit Inside(const std::string& netnsPath);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  netlib::UniqueFd back_;
};

/// While it lives, this thread (which must be the only one of the process) is on the fake host: lo is up and nothing
/// else is there; IPv4 is not forwarded; /run is an empty tmpfs but for /run/netns. Kernel objects made there go with
/// it.
class FakeHost {
 public:
  FakeHost();
  ~FakeHost();
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  /// Needs root and namespaces; see REQUIRE_FAKE_HOST.
  static bool possible();
  /// Says on the standard output that a test case was not run; the sum is printed when the program ends.
  static void countSkip(const std::string& reason = "needs root and namespaces");

  /// A new empty network namespace (lo is down, as a container runtime leaves it) at /run/netns/<name>, whose path is
  /// returned. `ip -n <name>` finds it.
  std::string addNamespace(const std::string& name);
  /// Takes the path away; the namespace itself goes with its last user.
  void removeNamespace(const std::string& path);
  /// The same for an unused namespace: returns when the kernel has deleted its links, which it does asynchronously.
  void endNamespace(const std::string& path);

  /// The rest of the world, joined by the interface "uplink": the host is 192.0.2.1/24 and 2001:db8:1::1/64 with
  /// default routes to the outside, which is .2 and ::2 and has no route back to any container.
  std::string addOutside();

  /// Runs `work` with this thread in the namespace of that path.
  template <class Work>
  auto inside(const std::string& netnsPath, Work work) const -> std::invoke_result_t<Work> {
    const Inside there{netnsPath};
    return work();
  }

  /// Everything that a plugin may have changed on the host, as text that is equal for equal states; see dumpNetwork().
  /// With a state directory also the tree below it.
  std::string dump(const std::filesystem::path& stateDir = {}) const;

 private:
  netlib::UniqueFd originalNetns_;
  netlib::UniqueFd originalMounts_;
  netlib::UniqueFd originalDirectory_;
};

/// Links, addresses, routes, rules, qdiscs, kernel parameters and nf_tables of this thread's network namespace, without
/// what changes by itself: interface numbers, counters, timers, carrier, IPv6 link-local addresses and their routes.
std::string dumpNetwork();

/// The lines of such a text, sorted, without what changes by itself.
std::string canonicalLines(const std::string& text);

/// Names, modes, link targets and contents below a directory; empty where it does not exist.
std::string dumpTree(const std::filesystem::path& directory);

}  // namespace support

/// Begins a test case that needs a fake host, here `name`; where there can be none the case is skipped and counted.
#define REQUIRE_FAKE_HOST(name)         \
  if (!support::FakeHost::possible()) { \
    support::FakeHost::countSkip();     \
    return;                             \
  }                                     \
  [[maybe_unused]] support::FakeHost name {}
