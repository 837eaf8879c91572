// The container's namespace is the same from the start of an ADD to its end, and is a container's.
#include <doctest/doctest.h>

#include "tests/support/plan_cases.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::cni::Verb;

namespace {

unsigned codeOf(const pons::cni::Result<std::string>& result) {
  return result ? 0 : static_cast<unsigned>(result.error().code);
}

pons::cni::Result<std::string> addAt(const std::string& path) {
  const Runtime runtime{minimalConfig()};
  auto environment = runtime.environment("c1");
  environment.netns = path;
  const auto request = pons::cni::parseRequest(Verb::Add, environment, minimalConfig());
  REQUIRE(request.ok());
  pons::Host host = openHost();
  return pons::add(*request, host);
}

}  // namespace

TEST_CASE("A netns path that changes before or after the work is an error, and the host stays clean") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  const auto request = runtime.request(Verb::Add, "c1");
  const std::size_t count = stepCount(request);
  for (std::size_t step = 0; step <= count; ++step) {
    CAPTURE(step);
    const auto added = addWith(request, [&](std::size_t at, pons::Host&) -> netlib::Result<> {
      if (at == step) {
        host.removeNamespace(request.netnsPath);
        host.addNamespace("c1");
      }
      return {};
    });
    REQUIRE(codeOf(added) == static_cast<unsigned>(ErrorCode::InvalidNetns));
    CHECK(difference(before, dumpAll(host)) == "");
  }
}

TEST_CASE("A namespace that is replaced repeatedly is never left half configured") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  // Over the mount of c1 comes that of c2, and goes again.
  const ForkedProcess recycler{[]() -> int {
    for (;;) {
      if (!run({"mount", "--bind", "/run/netns/c2", "/run/netns/c1"}).ok()) return 1;
      if (!run({"umount", "/run/netns/c1"}).ok()) return 1;
    }
  }};
  int refused = 0;
  for (int round = 0; round < 100; ++round) {
    const auto added = runtime.add("c1");
    if (!added) {
      CHECK(codeOf(added) == static_cast<unsigned>(ErrorCode::InvalidNetns));
      ++refused;
    }
    REQUIRE(runtime.del("c1").ok());
    CHECK(interfacesOf(host, "c2") == interfacesOf(host, "c1"));
  }
  MESSAGE("refused: " << refused << " of 100");
  CHECK(dumpLedger().empty());
}

TEST_CASE("A path that is not a container's network namespace is refused, and nothing is claimed") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string before = dumpAll(host);
  CHECK(codeOf(addAt("/proc/self/ns/net")) == 8);
  CHECK(codeOf(addAt("/proc/self/ns/mnt")) == 8);
  CHECK(codeOf(addAt("/proc/self/status")) == 8);
  CHECK(codeOf(addAt("/run/netns/gone")) == 3);
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("An existing interface of that name in the container is kept, and ADD names it") {
  REQUIRE_FAKE_HOST(host);
  const std::string path = host.addNamespace("c1");
  outputOf({"ip", "-n", "c1", "link", "add", "eth0", "type", "bridge"});
  const std::string before = dumpAll(host);
  const auto added = Runtime{minimalConfig()}.add("c1");
  REQUIRE(codeOf(added) == static_cast<unsigned>(ErrorCode::InvalidConfig));
  CHECK(added.error().message.find("eth0") != std::string::npos);
  CHECK(added.error().message.find(path) != std::string::npos);
  CHECK(difference(before, dumpAll(host)) == "");
}
