#include "plugin/telemetry/trace.h"

#include <chrono>
#include <optional>
#include <vector>

#include <sys/resource.h>

#include "plugin/telemetry/log.h"

namespace pons::trace {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

struct Lap {
  std::string what;
  microseconds took;
};

/// Of the process: a plugin is one run of one verb. Written out at the end, so that writing is not measured.
struct Record {
  Clock::time_point last;
  std::vector<Lap> laps;
};
std::optional<Record> record;

microseconds usedSoFar() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) { return std::chrono::seconds{time.tv_sec} + microseconds{time.tv_usec}; };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

}  // namespace

void begin() { record = Record{Clock::now(), {{"start of the process", usedSoFar()}}}; }

void lap(std::string_view what) {
  log::debug(what);
  if (!record) return;
  const auto now = Clock::now();
  record->laps.push_back({std::string{what}, std::chrono::duration_cast<microseconds>(now - record->last)});
  record->last = now;
}

std::string lines() {
  std::string text;
  if (!record) return text;
  microseconds sum{0};
  const auto add = [&text](microseconds took, const std::string& what) {
    std::string number = std::to_string(took.count());
    number.insert(0, number.size() < 7 ? 7 - number.size() : 0, ' ');
    text += "pons trace: " + number + " us  " + what + "\n";
  };
  for (const Lap& lap : record->laps) {
    add(lap.took, lap.what);
    sum += lap.took;
  }
  add(sum, "in all");
  return text;
}

}  // namespace pons::trace
