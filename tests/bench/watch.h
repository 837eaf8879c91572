// What a program does, whatever the machine's mood: seen by tracing it, which makes it too slow to be timed.
#pragma once

#include <string>

#include "tests/bench/cost.h"

namespace bench {

/// Of a program and its children.
struct Counts {
  double syscalls = 0;
  double programs = 0;  ///< executed, itself included
  std::string out = {};
};
Counts countsOf(Program program);

/// The most memory that a program, without its children, had resident.
struct Peak {
  double mebibytes = 0;
  std::string out = {};
};
Peak peakOf(const Program& program);

}  // namespace bench
