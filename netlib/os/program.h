// A program of somebody else, executed only where nobody but root can have put it there.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// What a program said before it ended.
struct Outcome {
  int status = 0;      ///< its exit status, 0 to 255; 128 + the signal that ended it
  std::string output;  ///< its stdout
  std::string errors;  ///< its stderr
};

/// A program that may be executed: a regular, executable file of root that neither group nor others may write to, and
/// the same is true for its directory and for every one above it, along the path as asked and along the path without
/// symlinks; a script's interpreter is such a program too.
class Program {
 public:
  struct Options {
    std::vector<std::string> environment;  ///< "NAME=value" each; the program gets nothing else of ours
    std::string input;                     ///< its stdin
    std::chrono::milliseconds timeout;     ///< it is killed after it, with its children
  };

  /// Bytes of stdout, and of stderr, that a program may say.
  static constexpr std::size_t kMaxOutput = std::size_t{4} << 20;

  /// The program at an absolute path. ENOENT where there is none; EPERM, with the reason, where it must not be
  /// executed.
  static Result<Program> open(const std::string& path);

  /// The program of that name in the first directory that has one. One that must not be executed is a final error
  /// (EPERM) wherever the others may be: it is what the caller would have got, had he executed it himself. EINVAL for a
  /// name with a slash and for a directory that is not an absolute path; ENOENT where no directory has it.
  static Result<Program> find(std::span<const std::string> directories, const std::string& name);

  /// Runs it to its end in this thread's namespaces. It is called by the path as asked, symlinks and all, for programs
  /// that go by their name, and gets `arguments` after that. ETIMEDOUT, EFBIG (see kMaxOutput); an exit status other
  /// than 0 is no error. The descriptors 0 to 2 of this process must be taken.
  Result<Outcome> run(const std::vector<std::string>& arguments, const Options& options) const;

  /// The path as asked.
  const std::string& path() const { return path_; }

 private:
  Program(std::string path, std::string executed, UniqueFd file)
      : path_(std::move(path)), executed_(std::move(executed)), file_(std::move(file)) {}
  static Result<Program> open(const std::string& path, bool mayBeScript);

  std::string path_;
  std::string executed_;  ///< the path that is handed to the kernel
  UniqueFd file_;
};

}  // namespace netlib
