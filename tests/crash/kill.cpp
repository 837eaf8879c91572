// The program killed at every one of its system calls: whatever it left, the next verb takes away.
#include <csignal>

#include <doctest/doctest.h>

#include "plugin/cni/error.h"

#include "tests/crash/scene.h"

using namespace support;

namespace {

/// Ways from what a killed ADD left back to the host as it was.
const std::vector<std::string> kWaysBack{"DEL", "GC", "ADD"};

void goBack(const Scene& scene, const std::string& way) {
  // Killed between the commit and the end: the attachment is whole, and an ADD must not replace it.
  if (way == "ADD" && scene.isCommitted()) {
    scene.mustFail("ADD", pons::cni::ErrorCode::AlreadyAttached);
  } else {
    scene.must(way);
  }
  if (way == "ADD") scene.must("DEL");
  scene.checkUntouched();
}

/// Kills a verb before its call of that number; false where it had ended by then.
bool killed(const Scene& scene, const std::string& verb, std::size_t at) {
  const auto traced = scene.meddled(verb, {.kind = Interference::Kind::Kill, .at = at});
  if (traced.calls.size() < at) {
    REQUIRE_MESSAGE(traced.outcome.ok(), verb << ": " << traced.outcome.out);
    return false;
  }
  REQUIRE(traced.outcome.signal == SIGKILL);
  return true;
}

void prepareFor(const Scene& scene, const std::string& verb) {
  if (verb != "ADD") scene.must("ADD");
}

/// Where a kill can leave a state of its own: a call that follows one which may have changed something.
std::vector<std::size_t> placesIn(const std::vector<TracedCall>& calls) {
  std::vector<std::size_t> places;
  for (std::size_t at = 2; at <= calls.size(); ++at) {
    if (wantsAll() || calls[at - 2].mayChange) places.push_back(at);
  }
  return places;
}

/// Kills the verb wherever it makes a difference, once for each way back or, for a short run, with the ways in turn.
void killEvery(const Scene& scene, const std::string& verb, const std::vector<std::string>& ways) {
  prepareFor(scene, verb);
  const auto places = placesIn(scene.meddled(verb, {}).calls);
  scene.must("DEL");
  REQUIRE(places.size() > 20);
  for (const std::size_t at : places) {
    for (std::size_t i = 0; i < ways.size(); ++i) {
      if (!wantsAll() && i != at % ways.size()) continue;
      CAPTURE(at);
      CAPTURE(ways[i]);
      prepareFor(scene, verb);
      // What is chosen at random, a free address for one, may make a run shorter than another.
      if (!killed(scene, verb, at)) return scene.must("DEL");
      goBack(scene, ways[i]);
    }
  }
}

}  // namespace

TEST_CASE("An ADD killed at any system call is taken away by DEL, by GC and by the next ADD") {
  REQUIRE_SCENE(scene, Neighbour::None);
  killEvery(scene, "ADD", kWaysBack);
}

TEST_CASE("An ADD killed at any system call beside a living attachment harms it not") {
  REQUIRE_SCENE(scene, Neighbour::Living);
  killEvery(scene, "ADD", kWaysBack);
}

TEST_CASE("A DEL killed at any system call is finished by another DEL, by GC and by the next ADD") {
  REQUIRE_SCENE(scene, Neighbour::None);
  killEvery(scene, "DEL", kWaysBack);
}

TEST_CASE("A DEL killed at any system call beside a living attachment harms it not") {
  REQUIRE_SCENE(scene, Neighbour::Living);
  killEvery(scene, "DEL", kWaysBack);
}

TEST_CASE("A GC killed at any system call is finished by the next one") {
  REQUIRE_SCENE(scene, Neighbour::None);
  killEvery(scene, "GC", {"GC"});
}

TEST_CASE("A GC killed at any system call beside a living attachment harms it not") {
  REQUIRE_SCENE(scene, Neighbour::Living);
  killEvery(scene, "GC", {"GC"});
}
