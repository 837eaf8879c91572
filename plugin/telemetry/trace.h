// Where the time of one run goes, for PONS_TRACE=1: laps between the points that the work passes. Each is a line of the
// log, too, at level debug.
#pragma once

#include <string>
#include <string_view>

namespace pons::trace {

/// From here on laps are taken down; the first is what the process used up to now (processor time, as nobody tells when
/// it was started). Without it lap() does nothing.
void begin();

/// `what` was done since the lap before.
void lap(std::string_view what);

/// One line a lap, "pons trace: <microseconds> <what>"; empty where none were taken down.
std::string lines();

}  // namespace pons::trace
