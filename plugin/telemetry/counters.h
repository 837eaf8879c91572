// How often what happened on this host, counted by all runs together in <stateDir>/counters.1: what pons metrics tells.
// Counting never fails a verb: a host without the file has no numbers, and that is all.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "plugin/cni/environment.h"

namespace pons::tally {

/// Upper bounds of the time that a verb took; what took longer is in one more.
inline constexpr std::array kBounds = [] {
  using std::chrono::microseconds;
  return std::array{microseconds{1'000},     microseconds{2'000},     microseconds{5'000},     microseconds{10'000},
                    microseconds{20'000},    microseconds{50'000},    microseconds{100'000},   microseconds{200'000},
                    microseconds{500'000},   microseconds{1'000'000}, microseconds{2'000'000}, microseconds{5'000'000},
                    microseconds{10'000'000}};
}();

enum class Event : std::uint8_t {
  Mended,     ///< a state that repair brought back
  Unmended,   ///< one that it could not bring back
  Reclaimed,  ///< an attachment whose container was gone, taken away for the sake of another's ADD
  Swept,      ///< something without a record that GC took away
};

inline constexpr std::size_t kEvents = 4;

/// Code 0 is success, any other CNI's.
void countVerb(const std::string& stateDir, cni::Verb verb, unsigned code, std::chrono::microseconds took);
void count(const std::string& stateDir, Event event, std::size_t times = 1);

struct VerbTally {
  cni::Verb verb;
  std::vector<std::pair<unsigned, std::uint64_t>> results;  ///< by code, those that came; always that of 0
  std::array<std::uint64_t, kBounds.size() + 1> times;      ///< one for each bound: not added up
  std::chrono::microseconds sum;
};
struct Tally {
  std::vector<VerbTally> verbs;  ///< all but VERSION, which touches nothing
  std::array<std::uint64_t, kEvents> events;

  std::uint64_t of(Event event) const { return events.at(static_cast<std::size_t>(event)); }
};
/// All zeros where nobody has counted yet. The file is made where it can be.
netlib::Result<Tally> read(const std::string& stateDir);

}  // namespace pons::tally
