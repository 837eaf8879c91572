// The root directory of a container, as a runtime unpacks it before it calls ADD.
#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>

#include <sys/mount.h>

#include "tests/support/fake_host.h"
#include "tests/support/text.h"

namespace support {

/// On a fake host: a file system of its own at a path below /run, with an empty /etc.
class RootFs {
 public:
  explicit RootFs(std::string path = "/run/root") : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    must(mount("tmpfs", path_.c_str(), "tmpfs", 0, nullptr));
    std::filesystem::create_directory(path_ / "etc");
  }

  std::string operator/(const std::string& name) const { return path_ / name; }
  std::string path() const { return path_; }

  /// The file that the image has.
  const RootFs& with(const std::string& content, const std::string& name = "etc/resolv.conf") const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream{path_ / name} << content;
    return *this;
  }
  const RootFs& linked(const std::string& target, const std::string& name = "etc/resolv.conf") const {
    std::filesystem::create_symlink(target, path_ / name);
    return *this;
  }
  /// Remounts it read-only.
  const RootFs& readOnly() const {
    must(mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr));
    return *this;
  }
  const RootFs& writable() const {
    must(mount(nullptr, path_.c_str(), nullptr, MS_REMOUNT | MS_BIND, nullptr));
    return *this;
  }

  std::string resolvConf() const { return contentOf(path_ / "etc/resolv.conf"); }
  /// All that is in it, with modes, symlinks and contents.
  std::string dump() const { return dumpTree(path_); }

 private:
  static void must(int result) {
    if (result != 0) throw std::runtime_error("cannot mount a root directory");
  }

  std::filesystem::path path_;
};

/// Lines of /proc/self/mountinfo: what is mounted for this thread.
inline std::size_t mountCount() {
  std::ifstream mounts{"/proc/thread-self/mountinfo"};
  std::size_t count = 0;
  for (std::string line; std::getline(mounts, line);) ++count;
  return count;
}

}  // namespace support
