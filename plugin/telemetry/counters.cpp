#include "plugin/telemetry/counters.h"

#include <algorithm>

#include "netlib/os/shared_counters.h"

#include "plugin/telemetry/log.h"

namespace pons::counters {

using cni::ErrorCode;
using cni::Verb;
using netlib::SharedCounters;
using std::chrono::microseconds;

namespace {

constexpr std::array kVerbs{Verb::Add, Verb::Del, Verb::Check, Verb::Gc, Verb::Status};

constexpr unsigned kAnyOther = static_cast<unsigned>(ErrorCode::Internal);
/// The index of a code in the file. Append only: the file survives an update of pons.
constexpr std::array kCodes{0U,
                            kAnyOther,
                            static_cast<unsigned>(ErrorCode::IncompatibleVersion),
                            static_cast<unsigned>(ErrorCode::UnsupportedField),
                            static_cast<unsigned>(ErrorCode::UnknownContainer),
                            static_cast<unsigned>(ErrorCode::InvalidEnvironment),
                            static_cast<unsigned>(ErrorCode::Io),
                            static_cast<unsigned>(ErrorCode::Decode),
                            static_cast<unsigned>(ErrorCode::InvalidConfig),
                            static_cast<unsigned>(ErrorCode::InvalidNetns),
                            static_cast<unsigned>(ErrorCode::TryAgain),
                            static_cast<unsigned>(ErrorCode::NotAvailable),
                            static_cast<unsigned>(ErrorCode::NotAvailableLimited),
                            static_cast<unsigned>(ErrorCode::AlreadyAttached),
                            static_cast<unsigned>(ErrorCode::CheckFailed)};

// Layout of the file: kVerbRoom counters per verb, then the events.
constexpr std::size_t kCodesAt = 0;
constexpr std::size_t kTimesAt = 24;
constexpr std::size_t kSumAt = 56;
constexpr std::size_t kVerbRoom = 64;
constexpr std::size_t kEventsAt = 7 * kVerbRoom;
static_assert(kCodes.size() <= kTimesAt && kTimesAt + kBounds.size() < kSumAt && kVerbs.size() <= 7);
static_assert(kEventsAt + kEvents <= SharedCounters::kCount);

std::size_t placeOf(Verb verb) { return static_cast<std::size_t>(verb) * kVerbRoom; }

std::size_t indexOf(unsigned code) {
  const auto* const found = std::ranges::find(kCodes, code);
  return static_cast<std::size_t>((found != kCodes.end() ? found : std::ranges::find(kCodes, kAnyOther)) -
                                  kCodes.begin());
}

std::size_t indexOf(microseconds took) {
  return static_cast<std::size_t>(std::ranges::lower_bound(kBounds, took) - kBounds.begin());
}

netlib::Result<SharedCounters> open(const std::string& stateDir) {
  return SharedCounters::open(stateDir + "/counters.1");
}

template <class Count>
void counting(const std::string& stateDir, Count count) {
  auto counters = open(stateDir);
  if (counters) {
    count(*counters);
  } else {
    log::debug("counters", "counters not updated: " + counters.error().message);
  }
}

VerbCounters countersOf(const SharedCounters& file, Verb verb) {
  VerbCounters values{verb, {}, {}, microseconds{file.get(placeOf(verb) + kSumAt)}};
  for (std::size_t i = 0; i < kCodes.size(); ++i) {
    const std::uint64_t times = file.get(placeOf(verb) + kCodesAt + i);
    if (times > 0 || kCodes.at(i) == 0) values.results.emplace_back(kCodes.at(i), times);
  }
  for (std::size_t i = 0; i < values.times.size(); ++i) values.times.at(i) = file.get(placeOf(verb) + kTimesAt + i);
  return values;
}

}  // namespace

void countVerb(const std::string& stateDir, Verb verb, unsigned code, microseconds took) {
  counting(stateDir, [&](SharedCounters& counters) {
    counters.add(placeOf(verb) + kCodesAt + indexOf(code));
    counters.add(placeOf(verb) + kTimesAt + indexOf(took));
    counters.add(placeOf(verb) + kSumAt, static_cast<std::uint64_t>(took.count()));
  });
}

void count(const std::string& stateDir, Event event, std::size_t times) {
  if (times == 0) return;
  counting(stateDir,
           [&](SharedCounters& counters) { counters.add(kEventsAt + static_cast<std::size_t>(event), times); });
}

netlib::Result<Snapshot> read(const std::string& stateDir) {
  Snapshot snapshot{};
  auto file = open(stateDir);
  if (!file && !file.failedWith(ENOENT)) return netlib::fail(file.error());
  for (const Verb verb : kVerbs) {
    snapshot.verbs.push_back(file ? countersOf(*file, verb) : VerbCounters{verb, {{0, 0}}, {}, microseconds{0}});
  }
  for (std::size_t i = 0; file && i < snapshot.events.size(); ++i) snapshot.events.at(i) = file->get(kEventsAt + i);
  return snapshot;
}

}  // namespace pons::counters
