// A child process, from posix_spawn(3) to waitpid(2).
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <sys/types.h>

#include "netlib/os/program.h"

namespace netlib {

/// The destructor kills the process group (SIGKILL) and waits for the child, unless await() has succeeded.
class Child {
 public:
  /// `argv` includes argv[0]. The child has only the standard streams open, default signal actions and mask, and a
  /// session of its own. Sets SIGCHLD of this process to SIG_DFL and its inherited descriptors to close-on-exec (which
  /// needs /proc before Linux 5.11).
  static Result<Child> start(const std::string& file, const std::vector<std::string>& argv,
                             const std::vector<std::string>& environment, const std::string& input);

  /// Waits until it exits; its own children may still run. Blocks SIGCHLD of this thread where there is no
  /// pidfd_open(2), before Linux 5.3 and in some sandboxes. Program: it exceeded `timeout`, or `limit` bytes of stdout
  /// or stderr. The messages are predicates ("was killed: ..."), to be prefixed with the program's path.
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

  pid_t pid_;  ///< 0 after waitpid(2)
  UniqueFd output_;
  UniqueFd errors_;
};

}  // namespace netlib
