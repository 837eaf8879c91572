// What work costs: that of programs which are started for it, or that of this process.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

#include "netlib/base/unique_fd.h"

namespace bench {

struct Cost {
  double wall = 0;    ///< microseconds
  double cpu = 0;     ///< microseconds, user and kernel, all processes of a program
  double faults = 0;  ///< minor page faults of all its processes

  Cost& operator+=(const Cost& other);
};

/// Like a stopwatch: from its construction to cost(), for work in this process.
class Meter {
 public:
  Meter();
  Cost cost() const;

 private:
  Cost start_;
};

/// A program as a container runtime calls it.
struct Program {
  std::vector<std::string> argv;         ///< argv[0] is looked up in PATH
  std::vector<std::string> environment;  ///< "NAME=value" each, and nothing else
  std::string input;                     ///< at most what a pipe takes: 64 KiB
};

struct Finished {
  Cost cost;
  std::string out;
};

/// A started program, in the namespaces of this thread. Several can run at once: start all, then finish each.
class Running {
 public:
  explicit Running(const Program& program);
  /// Throws where the program failed, with what it said: a figure of a failure is no figure.
  Finished finish();

 private:
  std::string name_;
  netlib::UniqueFd output_;
  double start_ = 0;
  pid_t pid_ = 0;
};

inline Finished run(const Program& program) { return Running{program}.finish(); }

}  // namespace bench
