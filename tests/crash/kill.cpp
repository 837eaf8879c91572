// The program is killed at each of its system calls; the next verb removes whatever is left.
#include <csignal>

#include <doctest/doctest.h>

#include "plugin/cni/error.h"

#include "tests/crash/fixture.h"

using namespace support;

namespace {

/// The verbs that clean up after a killed ADD or DEL.
const std::vector<std::string> kCleanups{"DEL", "GC", "ADD"};

void cleanUp(const CrashFixture& fixture, const std::string& verb) {
  // Killed after the commit: the attachment is complete, and an ADD must not replace it.
  if (verb == "ADD" && fixture.isCommitted()) {
    fixture.mustFail("ADD", pons::cni::ErrorCode::AlreadyAttached);
  } else {
    fixture.must(verb);
  }
  if (verb == "ADD") fixture.must("DEL");
  fixture.checkUntouched();
}

/// Kills a verb before its n-th system call; false if it ended before.
bool killed(const CrashFixture& fixture, const std::string& verb, std::size_t at) {
  const auto traced = fixture.callTraced(verb, {.kind = FaultInjection::Kind::Kill, .at = at});
  if (traced.calls.size() < at) {
    REQUIRE_MESSAGE(traced.outcome.ok(), verb << ": " << traced.outcome.out);
    return false;
  }
  REQUIRE(traced.outcome.signal == SIGKILL);
  return true;
}

void prepareFor(const CrashFixture& fixture, const std::string& verb) {
  if (verb != "ADD") fixture.must("ADD");
}

/// Calls at which a kill can leave a new state: those after a call that may have changed something.
std::vector<std::size_t> placesIn(const std::vector<TracedCall>& calls) {
  std::vector<std::size_t> places;
  for (std::size_t at = 2; at <= calls.size(); ++at) {
    if (wantsAll() || calls[at - 2].mayChange) places.push_back(at);
  }
  return places;
}

/// Kills the verb at each of these calls, once for each cleanup verb or, for a short run, with these in turn, and every
/// second call with a neighbour, the others without.
void killEvery(const CrashFixture& fixture, const std::string& verb, const std::vector<std::string>& cleanups) {
  prepareFor(fixture, verb);
  const auto places = placesIn(fixture.callTraced(verb, {}).calls);
  fixture.must("DEL");
  REQUIRE(places.size() > 20);
  for (std::size_t place = 0; place < places.size(); ++place) {
    if (!wantsAll() && (place % 2 == 0) == fixture.hasNeighbour()) continue;
    const std::size_t at = places[place];
    for (std::size_t i = 0; i < cleanups.size(); ++i) {
      if (!wantsAll() && i != (place / 2) % cleanups.size()) continue;
      CAPTURE(at);
      CAPTURE(cleanups[i]);
      prepareFor(fixture, verb);
      // Random choices, such as a free address, may make a run shorter than another.
      if (!killed(fixture, verb, at)) return fixture.must("DEL");
      cleanUp(fixture, cleanups[i]);
    }
  }
}

}  // namespace

TEST_CASE("DEL, GC and the next ADD clean up an ADD killed at any system call") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::None);
  killEvery(fixture, "ADD", kCleanups);
}

TEST_CASE("An ADD killed at any system call does not affect an active attachment") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::Living);
  killEvery(fixture, "ADD", kCleanups);
}

TEST_CASE("A DEL killed at any system call is finished by another DEL, by GC and by the next ADD") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::None);
  killEvery(fixture, "DEL", kCleanups);
}

TEST_CASE("A DEL killed at any system call does not affect an active attachment") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::Living);
  killEvery(fixture, "DEL", kCleanups);
}

TEST_CASE("A GC killed at any system call is finished by the next one") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::None);
  killEvery(fixture, "GC", {"GC"});
}

TEST_CASE("A GC killed at any system call does not affect an active attachment") {
  REQUIRE_CRASH_FIXTURE(fixture, Neighbour::Living);
  killEvery(fixture, "GC", {"GC"});
}
