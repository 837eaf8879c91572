// The bridge beside its shared states: the MTU that ADD reports, gateway addresses that are in the way of one another,
// and what a foreign bridge had before.
#include <doctest/doctest.h>

#include "plugin/json/json.h"

#include "tests/kernel/shared_states.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;

TEST_CASE("The result of ADD has the bridge's MTU as the kernel has it then, whatever the container gets") {
  REQUIRE_FAKE_HOST(host);
  int number = 0;
  for (const std::string& members :
       std::vector<std::string>{withSubnet(R"("mtu": 9000)"), std::string{R"("ipam": {}, "mtu": 1600)"},
                                std::string{R"("ipam": {}, "mtu": 1400, "disableContainerInterface": true)"},
                                withSubnet(R"("mtu": 1450)")}) {
    const std::string container = "c" + std::to_string(++number);
    host.addNamespace(container);
    const auto added = Runtime{demoConfig(members)}.add(container);
    REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().message));
    const auto result = pons::json::Document::parse(*added).value();
    const auto interfaces = result.root()["interfaces"].items();
    REQUIRE(!interfaces.empty());
    CHECK(interfaces.front()["name"].string() == "pons0");
    CHECK(std::to_string(interfaces.front()["mtu"].integer().value_or(0)) == mtuOf("pons0"));
  }
  CHECK(mtuOf("pons0") == "1400");
}

TEST_CASE("A gateway address that another attachment refers to is not replaced by force") {
  REQUIRE_FAKE_HOST(host);
  for (const char* name : {"c1", "c2"}) host.addNamespace(name);
  outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
  const Runtime first{demoConfig(withSubnet(R"("bridge": "br-admin")"))};
  const auto added = first.add("c1");
  REQUIRE(added.ok());
  const std::string before = dumpAll(host);
  const Runtime second{demoConfig(R"("bridge": "br-admin", "forceAddress": true,
                                     "ipam": {"ranges": [[{"subnet": "10.42.0.0/24", "gateway": "10.42.0.254"}]]})")};
  const auto refused = second.add("c2");
  REQUIRE(!refused.ok());
  for (const char* part : {"10.42.0.1/24", "c1"}) {
    CHECK_MESSAGE(contains(refused.error().message, part), refused.error().message);
  }
  CHECK(difference(before, dumpAll(host)) == "");
  CHECK(first.check("c1", *added).ok());
  CHECK(first.del("c1").ok());
}

TEST_CASE("An IPv6 gateway address with another prefix length is refused, or replaced and restored by force") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  for (const char* present : {"fd42::1/80", "fd42::1/128"}) {
    CAPTURE(present);
    outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
    outputOf({"ip", "addr", "add", present, "dev", "br-admin", "nodad"});
    const std::string before = dumpAll(host);
    const std::string members = R"("bridge": "br-admin", "ipam": {"subnet": "fd42::/64"})";
    const auto refused = Runtime{demoConfig(members)}.add("c1");
    REQUIRE(!refused.ok());
    CHECK_MESSAGE(contains(refused.error().message, present), refused.error().message);
    CHECK(difference(before, dumpAll(host)) == "");

    const Runtime forced{demoConfig(members + R"(, "forceAddress": true)")};
    const auto added = forced.add("c1");
    REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().message));
    CHECK(contains(outputOf({"ip", "-o", "addr", "show", "dev", "br-admin"}), "fd42::1/64"));
    CHECK(forced.check("c1", *added).ok());
    REQUIRE(forced.del("c1").ok());
    const std::string after = outputOf({"ip", "-o", "addr", "show", "dev", "br-admin"});
    CHECK(contains(after, present));
    CHECK(!contains(after, "fd42::1/64"));
    outputOf({"ip", "link", "del", "br-admin"});
  }
}

TEST_CASE("Addresses that the kernel removes with the gateway address, as secondary ones, stay") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
  outputOf({"sysctl", "-qw", "net.ipv4.conf.all.promote_secondaries=0"});
  outputOf({"sysctl", "-qw", "net.ipv4.conf.br-admin.promote_secondaries=0"});
  const Runtime runtime{demoConfig(withSubnet(R"("bridge": "br-admin")"))};
  REQUIRE(runtime.add("c1").ok());
  outputOf({"ip", "addr", "add", "10.42.0.9/24", "dev", "br-admin"});
  REQUIRE(contains(outputOf({"ip", "addr", "show", "dev", "br-admin", "secondary"}), "10.42.0.9/24"));
  REQUIRE(runtime.del("c1").ok());
  const std::string addresses = outputOf({"ip", "addr", "show", "dev", "br-admin"});
  CHECK(contains(addresses, "10.42.0.9/24"));
  CHECK(!contains(addresses, "10.42.0.1/24"));
}

TEST_CASE("What was saved of a foreign bridge is not written to another one that has taken its name") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "br-admin", "type", "bridge"});
  const std::string members = R"("bridge": "br-admin", "promiscMode": true,
                                 "portMappings": [{"hostPort": 8080, "containerPort": 80}])";
  const Runtime runtime{demoConfig(withSubnet(members))};
  REQUIRE(runtime.add("c1").ok());
  CHECK(contains(bridgeText("br-admin"), "PROMISC"));
  CHECK(contains(bridgeText("br-admin"), ",UP"));
  outputOf({"ip", "link", "del", "br-admin"});
  outputOf({"ip", "link", "add", "br-admin", "index", "4711", "up", "type", "bridge"});
  outputOf({"ip", "link", "set", "br-admin", "promisc", "on"});
  outputOf({"sysctl", "-qw", "net.ipv4.conf.br-admin.route_localnet=1"});
  REQUIRE(runtime.del("c1").ok());
  CHECK(contains(bridgeText("br-admin"), "PROMISC"));
  CHECK(contains(bridgeText("br-admin"), ",UP"));
  CHECK(isOn("net/ipv4/conf/br-admin/route_localnet"));
  CHECK(dumpLedger() == "");
}
