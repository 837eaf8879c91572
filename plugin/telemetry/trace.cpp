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

struct Timing {
  std::string what;
  microseconds took;
};

/// Per process: each process runs one verb. Printed at the end, so that printing is not measured.
struct Record {
  Clock::time_point last;
  std::vector<Timing> timings;
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

void timing(std::string_view what) {
  log::debug("step", what);
  if (!record) return;
  const auto now = Clock::now();
  record->timings.push_back({std::string{what}, std::chrono::duration_cast<microseconds>(now - record->last)});
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
  for (const Timing& one : record->timings) {
    add(one.took, one.what);
    sum += one.took;
  }
  add(sum, "in all");
  return text;
}

}  // namespace pons::trace
