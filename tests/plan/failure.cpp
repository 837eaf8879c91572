// An ADD that fails at any step leaves everything as it was.
#include <doctest/doctest.h>

#include "tests/support/plan_cases.h"

using namespace support;
using pons::cni::Verb;

namespace {

constexpr const char* kInjected = "the test fails this ADD";

bool isInjected(const pons::cni::Result<std::string>& added) {
  return !added.ok() && added.error().message == kInjected;
}

BeforeStep failAt(std::size_t position) {
  return [position](std::size_t step, pons::Host&) -> netlib::Result<> {
    if (step == position) return netlib::fail(netlib::Cause::Internal, kInjected);
    return {};
  };
}

}  // namespace

TEST_CASE("An ADD that fails at any step leaves the host as it was") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const auto request = runtimeOf(which).request(Verb::Add, "c1");
    const std::string before = dumpAll(host);
    const std::size_t count = stepCount(request);
    REQUIRE(difference(before, dumpAll(host)) == "");
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      REQUIRE(isInjected(addWith(request, failAt(step))));
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("An ADD that fails at any step does not affect an active attachment") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const std::string empty = dumpAll(host);
    const Runtime other = otherRuntimeOf(which);
    const auto result = other.add("other");
    REQUIRE(result.ok());
    const std::string before = dumpAll(host);
    const auto request = runtimeOf(which).request(Verb::Add, "c1");
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      REQUIRE(isInjected(addWith(request, failAt(step))));
      CHECK(difference(before, dumpAll(host)) == "");
      const auto checked = other.check("other", *result);
      CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
    }
    REQUIRE(other.del("other").ok());
    CHECK(difference(empty, dumpAll(host)) == "");
  }
}

TEST_CASE("Shared state does not outlive the last attachment when that goes while another ADD is failing") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const std::string before = dumpAll(host);
    const Runtime other = otherRuntimeOf(which);
    const auto request = runtimeOf(which).request(Verb::Add, "c1");
    const std::size_t count = stepCount(request);
    for (std::size_t step = 0; step <= count; ++step) {
      CAPTURE(step);
      REQUIRE(other.add("other").ok());
      const auto failed = addWith(request, [&](std::size_t at, pons::Host&) -> netlib::Result<> {
        if (at != step) return {};
        REQUIRE(other.del("other").ok());
        return netlib::fail(netlib::Cause::Internal, kInjected);
      });
      REQUIRE(isInjected(failed));
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("A second ADD of an active attachment is refused and changes nothing") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Runtime runtime{minimalConfig()};
  REQUIRE(runtime.add("c1").ok());
  const std::string before = dumpAll(host);
  const auto again = runtime.add("c1");
  REQUIRE(!again.ok());
  CHECK(again.error().code == pons::cni::ErrorCode::AlreadyAttached);
  CHECK(difference(before, dumpAll(host)) == "");
  CHECK(runtime.del("c1").ok());
}
