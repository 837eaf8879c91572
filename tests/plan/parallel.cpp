// Verbs at once: of one attachment, and of several on one network.
#include <doctest/doctest.h>

#include "tests/support/at_once.h"
#include "tests/support/plan_cases.h"

using namespace support;

namespace {

std::string nameOf(int number) { return "p" + std::to_string(number); }

void complain(const pons::cni::Error& error) { MESSAGE(error.message); }

}  // namespace

TEST_CASE("Four DELs of one attachment at once all succeed and leave nothing") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const Runtime runtime = runtimeOf(which);
    const std::string before = dumpAll(host);
    for (int round = 0; round < 5; ++round) {
      REQUIRE(runtime.add("c1").ok());
      CHECK(atOnce(4, [&](int) { return runtime.del("c1").ok(); }) == 4);
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("Concurrent first ADDs of a network all succeed, and concurrent DELs leave nothing") {
  constexpr int kCount = 8;
  for (const PlanCase& which : planCases()) {
    // One address cannot be had by all, nor one root.
    if (!which.args.empty() || which.members.find("rootfs") != std::string::npos) continue;
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    for (int i = 0; i < kCount; ++i) host.addNamespace(nameOf(i));
    const std::string before = dumpAll(host);
    const auto runtimeFor = [&](int number) {
      std::string members = which.members;
      for (const std::string port : {"8080", "5353", "8081"}) {
        const auto at = members.find(port);
        if (at != std::string::npos) members.replace(at, 4, std::to_string(std::stoi(port) + 10 * (number + 1)));
      }
      return Runtime{demoConfig(members)};
    };
    for (int round = 0; round < 3; ++round) {
      CHECK(atOnce(kCount, [&](int number) {
              const auto added = runtimeFor(number).add(nameOf(number));
              if (!added) complain(added.error());
              return added.ok() && runtimeFor(number).check(nameOf(number), *added).ok();
            }) == kCount);
      CHECK(atOnce(kCount, [&](int number) { return runtimeFor(number).del(nameOf(number)).ok(); }) == kCount);
      CHECK(difference(before, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("Containers that come while others leave keep what they share") {
  constexpr int kCount = 6;
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  for (int i = 0; i < kCount; ++i) host.addNamespace(nameOf(i));
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  CHECK(atOnce(kCount, [&](int number) {
          for (int round = 0; round < 15; ++round) {
            const auto added = runtime.add(nameOf(number));
            if (!added) complain(added.error());
            if (!added) return false;
            const auto checked = runtime.check(nameOf(number), *added);
            if (!checked) complain(checked.error());
            if (!checked || !runtime.del(nameOf(number)).ok()) return false;
          }
          return true;
        }) == kCount);
  CHECK(difference(before, dumpAll(host)) == "");
}
