// The kernel's release, and which modules it has, by reading files: what asks the kernel for a module loads it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace netlib {

enum class ModuleState : std::uint8_t {
  Present,   ///< loaded, or built in
  Loadable,  ///< a file for modprobe(8); not loaded
  Missing,   ///< neither
  Unknown,   ///< /lib/modules has nothing of this kernel: a container, or a kernel without modules
};

/// By uname(2), once in a process; a distribution's kernel may have more than its release says. False if the release
/// cannot be read.
bool kernelIsAtLeast(unsigned major, unsigned minor);
/// "5.4.0-150-generic": 5 and 4; nothing for another form.
std::optional<std::pair<unsigned, unsigned>> parseRelease(std::string_view release);

/// Names as in /proc/modules, with "_". Not thread-safe.
class KernelModules {
 public:
  /// Reads /proc/modules. `root` is prepended to every path, for tests.
  explicit KernelModules(std::string root = {});

  bool isLoaded(const std::string& name) const;
  /// Reads, once, what depmod(8) wrote about this kernel.
  ModuleState stateOf(const std::string& name);
  /// False where the kernel would load the module if it was asked for what the module has.
  bool asksWithoutLoading(const std::string& name);
  /// False for a kernel built without modules, or that loads no more of them (kernel.modules_disabled).
  bool canLoad() const;

 private:
  struct Files {
    std::string loadable;  ///< modules.dep
    std::string builtIn;   ///< modules.builtin
  };
  const Files& files();

  std::string root_;
  std::string loaded_;
  std::optional<Files> files_;
};

}  // namespace netlib
