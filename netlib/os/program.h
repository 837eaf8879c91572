// A program of another package: executed only if no user can have written it but root, or one who can replace this
// program as well.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Exit status and output of a program.
struct Outcome {
  int status = 0;      ///< exit status, 0 to 255; 128 + N after signal N
  std::string output;  ///< stdout
  std::string errors;  ///< stderr
};

/// A program that may be executed: a regular, executable file of root, writable by root and root's group only. The same
/// holds for every directory above it, along the path as requested and along the resolved path, and for the interpreter
/// of a script. A program in the directory that this process was started from (AT_EXECFN) may be anybody's, and so may
/// that directory and those above it: release archives of CNI plugins were unpacked with the builder's user as owner.
class Program {
 public:
  struct Options {
    std::vector<std::string> environment;  ///< "NAME=value" each; complete, nothing is inherited
    std::string input;                     ///< stdin
    std::chrono::milliseconds timeout;     ///< then the process group is killed
  };

  /// Limit of stdout and of stderr, in bytes.
  static constexpr std::size_t kMaxOutput = std::size_t{4} << 20;

  /// The program at an absolute path. ENOENT: there is none; Unsafe, with the reason: it must not be executed.
  static Result<Program> open(const std::string& path);

  /// The program of that name in the first directory that has one, as in a search of PATH. Unsafe if that one must
  /// not be executed: later directories are not searched. Invalid for a name with a slash and for a directory that is
  /// not an absolute path; Missing if no directory has it.
  static Result<Program> find(std::span<const std::string> directories, const std::string& name);

  /// Runs it in this thread's namespaces until it exits. argv[0] is path(), unresolved: multi-call programs (iptables)
  /// depend on it. Program: it exceeded `timeout` or kMaxOutput; an exit status other than 0 is not an error. The
  /// descriptors 0 to 2 of this process must be open.
  Result<Outcome> run(const std::vector<std::string>& arguments, const Options& options) const;

  /// As requested, symlinks not resolved.
  const std::string& path() const { return path_; }

 private:
  Program(std::string path, std::string executed, UniqueFd file)
      : path_(std::move(path)), executed_(std::move(executed)), file_(std::move(file)) {}
  static Result<Program> open(const std::string& path, bool mayBeScript);

  std::string path_;
  std::string executed_;  ///< the path for execve(2)
  UniqueFd file_;
};

}  // namespace netlib
