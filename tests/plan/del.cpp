// DEL works from the ledger alone.
#include <doctest/doctest.h>

#include "tests/support/plan_cases.h"

using namespace support;
using pons::cni::Verb;

namespace {

pons::cni::Result<> delWith(const std::string& config, pons::cni::Environment environment) {
  const auto request = pons::cni::parseRequest(Verb::Del, environment, config);
  if (!request) return netlib::fail(request.error());
  pons::Host host = openHost();
  return pons::del(*request, host);
}

const PlanCase& fullCase() {
  static const PlanCase which = planCases().at(1);
  return which;
}

}  // namespace

TEST_CASE("DEL of what was never attached succeeds, twice, and changes nothing") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  CHECK(runtime.del("c1").ok());
  CHECK(runtime.del("c1").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("ADD, CHECK, DEL and DEL again leave the host as it was") {
  for (const PlanCase& which : planCases()) {
    CAPTURE(which.name);
    REQUIRE_FAKE_HOST(host);
    prepare(host, which);
    const std::string before = dumpAll(host);
    const Runtime runtime = runtimeOf(which);
    const auto result = runtime.add("c1");
    REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error().message));
    const std::string attached = dumpAll(host);
    const auto checked = runtime.check("c1", *result);
    CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
    CHECK(difference(attached, dumpAll(host)) == "");
    CHECK(runtime.del("c1").ok());
    CHECK(difference(before, dumpAll(host)) == "");
    CHECK(runtime.del("c1").ok());
    CHECK(difference(before, dumpAll(host)) == "");
  }
}

TEST_CASE("DEL needs no namespace: the path empty, gone, or another container's by now") {
  for (const std::string netns : {"", "/run/netns/c1", "/run/netns/gone"}) {
    CAPTURE(netns);
    REQUIRE_FAKE_HOST(host);
    prepare(host, fullCase());
    const std::string before = dumpAll(host);
    const Runtime runtime = runtimeOf(fullCase());
    REQUIRE(runtime.add("c1").ok());
    host.removeNamespace("/run/netns/c1");
    host.addNamespace("c1");
    auto environment = runtime.environment("c1");
    environment.netns = netns;
    REQUIRE(delWith(demoConfig(fullCase().members), environment).ok());
    CHECK(difference(before, dumpAll(host)) == "");
  }
}

TEST_CASE("DEL removes what ADD created, whatever the current configuration is") {
  const std::string changed[] = {
      minimalConfig(),
      demoConfig(R"("bridge": "br-new", "ipam": {"subnet": "10.99.0.0/16"}, "ipMasq": false)"),
      demoConfig(R"("ipam": {"subnet": "not a subnet"}, "portMappings": "nonsense", "mtu": -1)"),
      demoConfig(R"("prevResult": {"cniVersion": "1.1.0", "ips": "nonsense"})"),
      R"({"cniVersion": "0.4.0", "name": "demo", "type": "pons"})",
  };
  for (const std::string& config : changed) {
    CAPTURE(config);
    REQUIRE_FAKE_HOST(host);
    prepare(host, fullCase());
    const std::string before = dumpAll(host);
    const Runtime runtime = runtimeOf(fullCase());
    REQUIRE(runtime.add("c1").ok());
    REQUIRE(delWith(config, runtime.environment("c1")).ok());
    CHECK(difference(before, dumpAll(host)) == "");
  }
}

TEST_CASE("A repeated DEL removes nothing of other containers") {
  REQUIRE_FAKE_HOST(host);
  prepare(host, fullCase());
  const Runtime runtime = runtimeOf(fullCase());
  const Runtime otherRuntime = otherRuntimeOf(fullCase());
  const auto other = otherRuntime.add("other");
  REQUIRE(other.ok());
  const std::string before = dumpAll(host);
  REQUIRE(runtime.add("c1").ok());
  for (int i = 0; i < 3; ++i) {
    CHECK(runtime.del("c1").ok());
    CHECK(difference(before, dumpAll(host)) == "");
    CHECK(otherRuntime.check("other", *other).ok());
  }
}

TEST_CASE("A network whose configuration changed between two ADDs is removed with either configuration") {
  for (const bool olderFirst : {true, false}) {
    CAPTURE(olderFirst);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    host.addNamespace("c2");
    const std::string before = dumpAll(host);
    const Runtime older{minimalConfig()};
    const Runtime newer{demoConfig(R"("ipam": {"subnet": "10.42.0.0/24"}, "ipMasqExclude": ["10.0.0.0/8"])")};
    const auto first = older.add("c1");
    const auto second = newer.add("c2");
    REQUIRE(first.ok());
    REQUIRE(second.ok());
    CHECK(newer.check("c2", *second).ok());
    CHECK((olderFirst ? older.del("c1") : newer.del("c2")).ok());
    CHECK((olderFirst ? newer.check("c2", *second) : older.check("c1", *first)).ok());
    CHECK((olderFirst ? newer.del("c2") : older.del("c1")).ok());
    CHECK(difference(before, dumpAll(host)) == "");
  }
}
