#include "tests/support/own_cgroups.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace support {
namespace {

namespace fs = std::filesystem;

void check(bool succeeded, const std::string& what) {
  if (!succeeded) throw std::system_error(errno, std::generic_category(), what);
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream stream{file};
  stream << text << std::flush;
  check(stream.good(), "write " + text + " to " + file.string());
}

std::string read(const fs::path& file) {
  std::ifstream stream{file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

void join(const fs::path& cgroup) { write(cgroup / "cgroup.procs", "0"); }

/// Of a mount's options those that every file system has are left out.
std::string ownOptions(const std::string& options) {
  std::string result;
  std::istringstream stream{options};
  for (std::string option; std::getline(stream, option, ',');) {
    const bool common = option == "rw" || option == "relatime" || option.starts_with("no");
    if (!common) result += (result.empty() ? "" : ",") + option;
  }
  return result;
}

/// Where this process is, from the root of the hierarchy with these options: "/user.slice".
std::string placeIn(const std::string& options) {
  std::ifstream stream{"/proc/self/cgroup"};
  for (std::string line; std::getline(stream, line);) {
    const auto first = line.find(':') + 1;  // "4:cpu,cpuacct:/user.slice"
    const auto second = line.find(':', first);
    const std::string controllers = line.substr(first, second - first);
    if (!controllers.empty() && ("," + options + ",").find("," + controllers + ",") != std::string::npos) {
      return line.substr(second + 1);
    }
  }
  throw std::system_error(ENOENT, std::generic_category(), "own cgroup of " + options);
}

// A cpuset takes no processes before it has processors and memory.
void copyCpuset(const fs::path& from, const fs::path& to) {
  for (const char* key : {"cpuset.cpus", "cpuset.mems"}) write(to / key, read(from / key));
}

bool removeTree(const fs::path& cgroup) {
  for (const fs::directory_entry& entry : fs::directory_iterator{cgroup}) {
    if (entry.is_directory() && !removeTree(entry.path())) return false;
  }
  return rmdir(cgroup.c_str()) == 0;
}

// The kernel removes a process from its cgroup shortly after waitpid() returned.
void removeWhenLeft(const fs::path& cgroup) {
  using namespace std::chrono_literals;
  for (int tries = 0; tries < 200; ++tries) {
    if (removeTree(cgroup)) return;
    std::this_thread::sleep_for(10ms);
  }
  throw std::runtime_error("processes left in cgroup " + cgroup.string());
}

}  // namespace

std::vector<OwnCgroups::Hierarchy> OwnCgroups::hierarchies() {
  const std::string name = "pons-test-" + std::to_string(getpid());
  std::vector<Hierarchy> result;
  std::ifstream stream{"/proc/self/mounts"};
  for (std::string line; std::getline(stream, line);) {
    std::string source, point, type, options;
    std::istringstream{line} >> source >> point >> type >> options;
    if (type == "cgroup") {
      options = ownOptions(options);
      const fs::path origin = point + placeIn(options);
      result.push_back({point, type, options, origin, origin / name});
    } else if (type == "cgroup2") {
      std::ifstream place{"/proc/self/cgroup"};
      std::string origin;
      while (std::getline(place, origin) && !origin.starts_with("0::")) {}
      // Below the root: a cgroup with processes in it, such as that of a session, has no controllers for its children.
      result.push_back({point, type, "", point + origin.substr(3), fs::path{point} / name});
    }
  }
  return result;
}

OwnCgroups::OwnCgroups() : hierarchies_(hierarchies()) {
  if (hierarchies_.empty()) throw std::system_error(ENOENT, std::generic_category(), "cgroups");
  originalNamespace_ = netlib::UniqueFd{open("/proc/self/ns/cgroup", O_RDONLY | O_CLOEXEC)};
  for (const Hierarchy& hierarchy : hierarchies_) {
    fs::create_directory(hierarchy.own);
    if (hierarchy.options == "cpuset") copyCpuset(hierarchy.origin, hierarchy.own);
    join(hierarchy.own);
  }
  check(unshare(CLONE_NEWCGROUP) == 0, "unshare the cgroups");
}

OwnCgroups::~OwnCgroups() {
  try {
    leave();
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "the test cannot come back from its cgroups: %s\n", failed.what());
    std::abort();
  }
}

void OwnCgroups::leave() {
  check(setns(originalNamespace_.get(), CLONE_NEWCGROUP) == 0, "come back from a cgroup namespace");
  for (const Hierarchy& hierarchy : hierarchies_) {
    join(hierarchy.origin);
    removeWhenLeft(hierarchy.own);
  }
}

void OwnCgroups::mountHere() const {
  for (const Hierarchy& hierarchy : hierarchies_) {
    const char* point = hierarchy.mountPoint.c_str();
    check(umount2(point, MNT_DETACH) == 0, std::string{"umount "} + point);
    check(mount("cgroup", point, hierarchy.type.c_str(), MS_NOSUID | MS_NODEV | MS_NOEXEC, hierarchy.options.c_str()) ==
              0,
          std::string{"mount "} + point);
    // A runtime hands controllers down from the root, which the kernel refuses while processes are in it.
    if (hierarchy.type == "cgroup2") {
      fs::create_directory(hierarchy.mountPoint / "test");
      join(hierarchy.mountPoint / "test");
    }
  }
}

}  // namespace support
