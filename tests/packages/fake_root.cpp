#include "tests/packages/fake_root.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <doctest/doctest.h>
#include <sys/mount.h>
#include <unistd.h>

namespace support {
namespace {

namespace fs = std::filesystem;

// On the fake host's /run, which is a tmpfs.
const fs::path kRoot = "/run/root";
const fs::path kWritten = "/run/written";

void mustMount(const char* source, const fs::path& target, const char* type, unsigned long flags, const char* options) {
  if (mount(source, target.c_str(), type, flags, options) != 0) {
    throw std::system_error(errno, std::generic_category(), "mount " + target.string());
  }
}

}  // namespace

FakeRoot::FakeRoot() {
  for (const fs::path& directory : {kRoot, kWritten, fs::path{"/run/work"}}) fs::create_directory(directory);
  mustMount("overlay", kRoot, "overlay", 0, "lowerdir=/,upperdir=/run/written,workdir=/run/work");
  for (const char* directory : {"/dev", "/proc", "/sys"}) {
    mustMount(directory, kRoot.string() + directory, nullptr, MS_BIND | MS_REC, nullptr);
  }
  mustMount("tmpfs", kRoot / "run", "tmpfs", 0, "mode=0755");
}

Outcome FakeRoot::run(const std::vector<std::string>& argv, const RunOptions& options) const {
  RunOptions there = options;
  if (!there.environment) there.environment.emplace();
  for (const char* variable :
       {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive"}) {
    there.environment->emplace_back(variable);
  }
  there.beforeExec = [] {
    if (chroot(kRoot.c_str()) != 0 || chdir("/root") != 0) _exit(126);
  };
  return support::run(argv, there);
}

std::string FakeRoot::outputOf(const std::vector<std::string>& argv, const RunOptions& options) const {
  Outcome outcome = run(argv, options);
  std::string command;
  for (const std::string& word : argv) command += word + " ";
  REQUIRE_MESSAGE(outcome.ok(), command << "failed: " << outcome.out << outcome.err);
  if (outcome.out.ends_with('\n')) outcome.out.pop_back();
  return std::move(outcome.out);
}

fs::path FakeRoot::operator/(const fs::path& path) const { return kRoot / path.relative_path(); }

std::string FakeRoot::bring(const fs::path& file) const {
  fs::copy_file(file, *this / "/root" / file.filename(), fs::copy_options::overwrite_existing);
  return "/root/" + file.filename().string();
}

std::string FakeRoot::changed() const {
  std::vector<std::string> paths;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator{kWritten}) {
    const std::string path = "/" + entry.path().lexically_relative(kWritten).string();
    // overlayfs also copies up directories that only were opened for writing; a new one is seen by its files.
    const bool isIgnored = path.starts_with("/var/") || path.starts_with("/root/");
    if (!isIgnored && (entry.is_symlink() || !entry.is_directory())) paths.push_back(path);
  }
  std::ranges::sort(paths);
  std::string text;
  for (const std::string& path : paths) text += path + "\n";
  return text;
}

void inFakeRoot(const std::function<void(const FakeRoot& root)>& work) {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  std::optional<FakeRoot> root;
  try {
    root.emplace();
  } catch (const std::system_error& refused) {
    return FakeHost::countSkip(std::string{"needs overlayfs: "} + refused.what());
  }
  work(*root);
}

}  // namespace support
