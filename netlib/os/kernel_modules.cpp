#include "netlib/os/kernel_modules.h"

#include <charconv>

#include <fcntl.h>
#include <sys/utsname.h>

#include "netlib/base/unique_fd.h"
#include "netlib/os/file.h"

namespace netlib {

namespace {

constexpr std::size_t kLimit = 16 * 1024 * 1024;  // modules.dep of a distribution: 0.7 MiB

/// Empty where it cannot be read.
std::string textOf(const std::string& path) {
  const UniqueFd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return {};
  auto text = readAll(file.get(), kLimit, path);
  return text ? std::move(*text) : std::string{};
}

std::string releaseOfKernel() {
  utsname kernel{};
  return uname(&kernel) == 0 ? kernel.release : std::string{};
}

/// Lines such as "kernel/net/netfilter/nf_tables.ko.xz: kernel/lib/libcrc32c.ko.xz": a line's first path counts. A file
/// may have "-" where the module's name has "_".
bool lists(const std::string& text, std::string name) {
  const auto hasFile = [&text](const std::string& file) {
    for (auto at = text.find(file); at != std::string::npos; at = text.find(file, at + 1)) {
      const auto line = text.rfind('\n', at) + 1;  // npos + 1 is 0
      if (text.find_first_of(" :", line) > at) return true;
    }
    return false;
  };
  if (hasFile("/" + name + ".ko")) return true;
  for (char& letter : name) letter = letter == '_' ? '-' : letter;
  return hasFile("/" + name + ".ko");
}

}  // namespace

bool kernelIsAtLeast(unsigned major, unsigned minor) {
  static const auto release = parseRelease(releaseOfKernel());
  return release && *release >= std::pair{major, minor};
}

std::optional<std::pair<unsigned, unsigned>> parseRelease(std::string_view release) {
  std::pair<unsigned, unsigned> parsed;
  const char* const end = release.data() + release.size();
  const auto [dot, failed] = std::from_chars(release.data(), end, parsed.first);
  if (failed != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  if (std::from_chars(dot + 1, end, parsed.second).ec != std::errc{}) return std::nullopt;
  return parsed;
}

KernelModules::KernelModules(std::string root)
    : root_(std::move(root)), loaded_("\n" + textOf(root_ + "/proc/modules")) {}

bool KernelModules::isLoaded(const std::string& name) const {
  return loaded_.find("\n" + name + " ") != std::string::npos;
}

bool KernelModules::canLoad() const {
  const std::string program = textOf(root_ + "/proc/sys/kernel/modprobe");
  return program.size() > 1 && !textOf(root_ + "/proc/sys/kernel/modules_disabled").starts_with('1');
}

ModuleState KernelModules::stateOf(const std::string& name) {
  if (isLoaded(name) || lists(files().builtIn, name)) return ModuleState::Present;
  if (lists(files().loadable, name)) return ModuleState::Loadable;
  return files().loadable.empty() ? ModuleState::Unknown : ModuleState::Missing;
}

bool KernelModules::asksWithoutLoading(const std::string& name) {
  const ModuleState state = stateOf(name);
  if (state == ModuleState::Unknown) return !canLoad();
  return state != ModuleState::Loadable;
}

const KernelModules::Files& KernelModules::files() {
  if (!files_) {
    const std::string directory = root_ + "/lib/modules/" + releaseOfKernel() + "/modules.";
    files_ = Files{.loadable = textOf(directory + "dep"), .builtIn = textOf(directory + "builtin")};
  }
  return *files_;
}

}  // namespace netlib
