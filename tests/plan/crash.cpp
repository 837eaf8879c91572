// An ADD or a DEL that is killed at any step leaves nothing that the next verb cannot remove.
#include <ranges>

#include <doctest/doctest.h>
#include <unistd.h>

#include "plugin/engine/transaction.h"

#include "tests/support/plan_cases.h"

using namespace support;
using pons::cni::Verb;

namespace {

constexpr int kKilled = 99;

BeforeStep dieAt(std::size_t position) {
  return [position](std::size_t step, pons::Host&) -> netlib::Result<> {
    if (step == position) _exit(kKilled);
    return {};
  };
}

// An ADD that ends without a word before the step of that index, or before its commit.
void addAndDie(const pons::cni::Request& request, std::size_t step) {
  REQUIRE(runForked([&] { return addWith(request, dieAt(step)).ok() ? 0 : 1; }).exitCode == kKilled);
}

// A step of a plan whose undo() is the end of the process.
class Deadly final : public pons::Step {
 public:
  Deadly(const pons::Step& step, bool before) : step_(step), before_(before) {}
  std::string name() const override { return step_.name(); }
  std::string sharedState() const override { return step_.sharedState(); }
  netlib::Result<> apply(pons::Host&) const override { return {}; }
  netlib::Result<pons::Differences> verify(pons::Host&) const override { return pons::Differences{}; }
  netlib::Result<> undo(pons::Host& host) const override {
    if (before_) _exit(kKilled);
    _exit(step_.undo(host).ok() ? kKilled : 1);
  }

 private:
  const pons::Step& step_;
  bool before_;
};

// A DEL that ends right before or after it undoes the step of that index.
void delAndDie(const pons::cni::Request& request, std::size_t step, bool before) {
  const auto outcome = runForked([&] {
    pons::Host host = openHost();
    pons::Record record = recordOf(host, request);
    const pons::Plan plan = pons::planFor(record.attachment);
    const Deadly deadly{*plan.at(step), before};
    std::vector<const pons::Step*> steps;
    for (const auto& each : plan) steps.push_back(each.get());
    steps.at(step) = &deadly;
    return teardown(host, record, steps).ok() ? 0 : 1;
  });
  REQUIRE(outcome.exitCode == kKilled);
}

}  // namespace

TEST_CASE("DEL removes everything left by an ADD that was killed at any step") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const Runtime runtime = runtimeOf(which);
    const auto request = runtime.request(Verb::Add, "c1");
    const std::string before = dumpAll(host);
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      addAndDie(request, step);
      REQUIRE(runtime.del("c1").ok());
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("After an ADD that was killed at any step the next ADD succeeds, and its DEL leaves nothing") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const Runtime runtime = runtimeOf(which);
    const auto request = runtime.request(Verb::Add, "c1");
    const std::string before = dumpAll(host);
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      addAndDie(request, step);
      const auto result = runtime.add("c1");
      REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error().message));
      CHECK(runtime.check("c1", *result).ok());
      REQUIRE(runtime.del("c1").ok());
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("An ADD that was killed at any step, and its DEL, do not affect an active attachment") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const std::string empty = dumpAll(host);
    const Runtime other = otherRuntimeOf(which);
    const auto result = other.add("other");
    REQUIRE(result.ok());
    const std::string before = dumpAll(host);
    const Runtime runtime = runtimeOf(which);
    const auto request = runtime.request(Verb::Add, "c1");
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      addAndDie(request, step);
      CHECK(other.check("other", *result).ok());
      REQUIRE(runtime.del("c1").ok());
      CHECK(other.check("other", *result).ok());
      CHECK(difference(before, dumpAll(host)) == "");
    }
    REQUIRE(other.del("other").ok());
    CHECK(difference(empty, dumpAll(host)) == "");
  }
}

TEST_CASE("A DEL that was killed before or after any undo can be repeated") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const Runtime runtime = runtimeOf(which);
    const auto request = runtime.request(Verb::Add, "c1");
    const std::string before = dumpAll(host);
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step < count; ++step) {
      for (const bool earlier : {true, false}) {
        CAPTURE(step);
        CAPTURE(earlier);
        REQUIRE(runtime.add("c1").ok());
        delAndDie(request, step, earlier);
        REQUIRE(runtime.del("c1").ok());
        CHECK(difference(before, dumpAll(host)) == "");
      }
    }
  }
}
