// Programs and forked children, run to their end by a test.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace support {

struct RunOptions {
  /// "NAME=value" each, and nothing else; without it the program gets the environment of the test.
  std::optional<std::vector<std::string>> environment;
  std::string input;
  /// The program is killed after it.
  std::chrono::milliseconds timeout{30'000};
  /// In the new process, right before it becomes the program.
  std::function<void()> beforeExec = {};
  /// Sees the program to its end in place of run(), without the timeout; the answer is that of waitpid().
  std::function<int(pid_t)> wait = {};
};

struct Outcome {
  int exitCode = -1;  ///< -1 where a signal ended the program
  int signal = 0;
  bool timedOut = false;
  std::string out;
  std::string err;

  bool ok() const { return exitCode == 0; }
};

/// Runs argv[0], looked up in PATH, in the namespaces of this thread. 127 where it cannot be executed.
Outcome run(const std::vector<std::string>& argv, const RunOptions& options = {});

/// The output of a program that has to succeed; the test ends with what it said otherwise.
std::string outputOf(const std::vector<std::string>& argv);

/// Runs `work` in a forked child, which ends with its result as exit code and runs no destructors of the test. For what
/// must survive or cause a sudden death: `work` may call _exit() or be killed.
Outcome runForked(const std::function<int()>& work,
                  std::chrono::milliseconds timeout = std::chrono::milliseconds{30'000});

/// The same, running concurrently with the test: killed with this object, if not ended before.
class ForkedProcess {
 public:
  explicit ForkedProcess(const std::function<int()>& work);
  ~ForkedProcess();
  ForkedProcess(const ForkedProcess&) = delete;
  ForkedProcess& operator=(const ForkedProcess&) = delete;

  pid_t pid() const { return pid_; }

 private:
  pid_t pid_;
};

}  // namespace support
