// Timing of one run, for PONS_TRACE=1: the time between consecutive points of the work. Each point is also logged at
// level debug.
#pragma once

#include <string>
#include <string_view>

namespace pons::trace {

/// Starts recording. The first timing is the CPU time (user and system) of the process so far, as from getrusage(2).
/// Without this call timing() only logs.
void begin();

/// Records the time since the previous call, which `what` took.
void timing(std::string_view what);

/// One line per timing, "pons trace: <microseconds> us  <what>", and the sum; empty without begin().
std::string lines();

}  // namespace pons::trace
