// A process that was started from a file, until its end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

#include "netlib/os/program.h"

namespace netlib {

/// Killed with its process group, if it did not end before, when this object goes.
class Child {
 public:
  /// `argv` with the name by which it is called. No descriptor but its standard streams is open in it, its signals are
  /// as after a boot, and it leads a session of its own.
  static Result<Child> start(const std::string& file, const std::vector<std::string>& argv,
                             const std::vector<std::string>& environment, const std::string& input);

  /// Waits for its end, not for that of children which it left behind. ETIMEDOUT; EFBIG past `limit` bytes of stdout or
  /// of stderr. The messages begin with what the program did.
  Result<Outcome> await(std::chrono::milliseconds timeout, std::size_t limit);

  ~Child();
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

 private:
  Child(pid_t pid, UniqueFd output, UniqueFd errors)
      : pid_(pid), output_(std::move(output)), errors_(std::move(errors)) {}
  Result<int> reap();

  pid_t pid_;  ///< 0 once it is no more
  UniqueFd output_;
  UniqueFd errors_;
};

}  // namespace netlib
