// Cgroups for one test: what container runtimes make there goes with the test.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "netlib/base/unique_fd.h"

namespace support {

/// While it lives, this process is in a new cgroup of every hierarchy, which is the root as far as it and its children
/// can see.
class OwnCgroups {
 public:
  OwnCgroups();
  /// No other process may be in them.
  ~OwnCgroups();
  OwnCgroups(const OwnCgroups&) = delete;
  OwnCgroups& operator=(const OwnCgroups&) = delete;

  /// Mounts them in place of the machine's in this thread's mount namespace, which must be private.
  void mountHere() const;

 private:
  struct Hierarchy {
    std::filesystem::path mountPoint;
    std::string type;     ///< cgroup or cgroup2
    std::string options;  ///< which hierarchy, in a mount of type cgroup
    std::filesystem::path origin;
    std::filesystem::path own;
  };
  static std::vector<Hierarchy> hierarchies();
  void leave();

  std::vector<Hierarchy> hierarchies_;
  netlib::UniqueFd originalNamespace_;
};

}  // namespace support
