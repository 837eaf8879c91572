// System calls answered as an older kernel or a sandbox answers them, by a seccomp filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace support {

/// A system call that fails with `error`, always or where one of its arguments has that value.
struct RefusedCall {
  struct Argument {
    unsigned index;  ///< 0 to 5
    std::uint32_t value;
  };
  long number;  ///< SYS_read ...
  int error;    ///< an errno
  std::optional<Argument> argument = std::nullopt;
};

/// From now on for this process and those that it starts, which cannot undo it: for RunOptions::beforeExec and in
/// runForked(). Ends the process with exit code 126 where that fails.
void refuse(const std::vector<RefusedCall>& calls);

/// A kernel, or a sandbox, as far as pons could see a difference to the newest kernel in its system calls.
struct OlderKernel {
  std::string name;
  std::vector<RefusedCall> lacks;
};
const std::vector<OlderKernel>& olderKernels();

}  // namespace support
