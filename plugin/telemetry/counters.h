// Host-wide event counters, shared by all runs through a memory-mapped file, <stateDir>/counters.1. `ponsctl metrics`
// prints them. A failure to count never fails a verb; it is logged at level debug.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "plugin/cni/environment.h"

namespace pons::counters {

/// Upper bounds of the duration histogram; longer durations are counted in one more bucket.
inline constexpr std::array kBounds = [] {
  using std::chrono::microseconds;
  return std::array{microseconds{1'000},     microseconds{2'000},     microseconds{5'000},     microseconds{10'000},
                    microseconds{20'000},    microseconds{50'000},    microseconds{100'000},   microseconds{200'000},
                    microseconds{500'000},   microseconds{1'000'000}, microseconds{2'000'000}, microseconds{5'000'000},
                    microseconds{10'000'000}};
}();

enum class Event : std::uint8_t {
  Repaired,       ///< state restored by `ponsctl repair`
  NotRepaired,    ///< state that it could not restore
  Reclaimed,      ///< attachment of a dead container, torn down by an ADD that needed its resources
  OrphanDeleted,  ///< kernel object without a record, deleted by GC
};

inline constexpr std::size_t kEvents = 4;

/// `code`: 0 for success, else the CNI error code; codes without a counter of their own are counted as 999.
void countVerb(const std::string& stateDir, cni::Verb verb, unsigned code, std::chrono::microseconds took);
void count(const std::string& stateDir, Event event, std::size_t times = 1);

struct VerbCounters {
  cni::Verb verb;
  std::vector<std::pair<unsigned, std::uint64_t>>
      results;                                          ///< {code, count}; zero counts are omitted, except of code 0
  std::array<std::uint64_t, kBounds.size() + 1> times;  ///< per bucket, not cumulative
  std::chrono::microseconds sum;
};
struct Snapshot {
  std::vector<VerbCounters> verbs;  ///< all but VERSION, which is not counted
  std::array<std::uint64_t, kEvents> events;

  std::uint64_t of(Event event) const { return events.at(static_cast<std::size_t>(event)); }
};
/// All zero if nothing has been counted yet. Creates the file if the directory is writable.
netlib::Result<Snapshot> read(const std::string& stateDir);

}  // namespace pons::counters
