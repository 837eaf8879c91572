// What others on the host and on the bridge notice of an attachment.
#include <doctest/doctest.h>

#include "tests/support/plan_cases.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

constexpr const char* kOldMac = "02:00:00:00:00:aa";

std::string neighbourIn(const std::string& container, const std::string& address) {
  return outputOf({"ip", "-n", container, "neigh", "show", address, "dev", "eth0"});
}

}  // namespace

TEST_CASE("After ADD the neighbour tables have the new MAC of a reused address") {
  REQUIRE_FAKE_HOST(host);
  const PlanCase requested = planCase("requested address");
  prepare(host, requested);
  const Runtime runtime = runtimeOf(requested);
  REQUIRE(otherRuntimeOf(requested).add("other").ok());
  int updated = 0;
  constexpr int kRounds = 50;
  for (int round = 0; round < kRounds; ++round) {
    for (const char* address : {"10.42.0.77", "fd42::77"}) {
      outputOf({"ip", "-n", "other", "neigh", "replace", address, "lladdr", kOldMac, "dev", "eth0", "nud", "stale"});
      outputOf({"ip", "neigh", "replace", address, "lladdr", kOldMac, "dev", "pons0", "nud", "stale"});
    }
    const auto added = runtime.add("c1");
    REQUIRE(added.ok());
    bool all = true;
    for (const char* address : {"10.42.0.77", "fd42::77"}) {
      all = all && neighbourIn("other", address).find(kOldMac) == std::string::npos &&
            outputOf({"ip", "neigh", "show", address, "dev", "pons0"}).find(kOldMac) == std::string::npos;
    }
    updated += all ? 1 : 0;
    REQUIRE(runtime.del("c1").ok());
  }
  CHECK(updated == kRounds);
}

TEST_CASE("A container does not reach services on the host's 127.0.0.1, with or without published ports") {
  REQUIRE_FAKE_HOST(host);
  const PlanCase which = planCases().at(1);
  prepare(host, which);
  const Runtime runtime = runtimeOf(which);
  REQUIRE(runtime.add("c1").ok());
  const Server secret{kHere, Transport::Udp, endpoint("127.0.0.1", 6000), "secret"};
  outputOf({"ip", "-n", "c1", "link", "set", "lo", "down"});
  outputOf({"ip", "-n", "c1", "route", "replace", "127.0.0.1", "via", "10.42.0.1", "dev", "eth0"});
  for (const std::string conf : {"all", "eth0"}) {
    outputOf({"ip", "netns", "exec", "c1", "sysctl", "-qw", "net.ipv4.conf." + conf + ".route_localnet=1"});
  }
  outputOf({"ip", "-n", "c1", "route", "flush", "table", "local"});
  const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{300}};
  CHECK(!ask("/run/netns/c1", Transport::Udp, endpoint("127.0.0.1", 6000), quickly));
  // Without the guard it would: that the test can see it at all.
  outputOf({"nft", "flush", "chain", "ip", "pons", "martian_127"});
  outputOf({"nft", "list", "chain", "ip", "pons", "martian_127"});
  WARN(ask("/run/netns/c1", Transport::Udp, endpoint("127.0.0.1", 6000), quickly));
  CHECK(runtime.del("c1").ok());
}
