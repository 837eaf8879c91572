// The bridge and its gateway addresses: made, repaired, shared with others, or refused.
#include <doctest/doctest.h>

#include "tests/support/plan_cases.h"
#include "tests/support/step_bench.h"

using namespace support;

namespace {

std::string macOf(const std::string& link) {
  const std::string text = outputOf({"ip", "-o", "link", "show", "dev", link});
  return text.substr(text.find("link/ether "), 28);
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string addressesOf(const std::string& link) { return outputOf({"ip", "-o", "addr", "show", "dev", link}); }

pons::cni::Error errorOf(const pons::cni::Result<std::string>& result) {
  REQUIRE(!result.ok());
  return result.error();
}

}  // namespace

TEST_CASE("A link with the bridge's name that is not a bridge is refused and not changed") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "pons0", "type", "veth", "peer", "name", "other"});
  const std::string before = dumpAll(host);
  const auto error = errorOf(Runtime{minimalConfig()}.add("c1"));
  CHECK(error.code == pons::cni::ErrorCode::InvalidConfig);
  CHECK(has(error.message, "pons0"));
  CHECK(has(error.message, "veth"));
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("A bridge without its gateway address, or down, is repaired by the next ADD") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  const auto first = runtime.add("c1");
  REQUIRE(first.ok());
  outputOf({"ip", "addr", "del", "10.42.0.1/24", "dev", "pons0"});
  outputOf({"ip", "link", "set", "pons0", "down"});
  REQUIRE(!runtime.check("c1", *first).ok());
  REQUIRE(runtime.add("c2").ok());
  CHECK(runtime.check("c1", *first).ok());
  CHECK(runtime.del("c1").ok());
  CHECK(runtime.del("c2").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("The bridge keeps its MAC when ports join and leave; a foreign bridge too") {
  for (const std::string bridge : {"pons0", "br-admin"}) {
    CAPTURE(bridge);
    REQUIRE_FAKE_HOST(host);
    for (const char* name : {"c1", "c2", "c3"}) host.addNamespace(name);
    if (bridge == "br-admin") outputOf({"ip", "link", "add", bridge, "up", "type", "bridge"});
    const Runtime runtime{demoConfig(R"("ipam": {"subnet": "10.42.0.0/24"}, "bridge": ")" + bridge + "\"")};
    REQUIRE(runtime.add("c1").ok());
    const std::string mac = macOf(bridge);
    for (const char* name : {"c2", "c3"}) {
      REQUIRE(runtime.add(name).ok());
      CHECK(macOf(bridge) == mac);
    }
    for (const char* name : {"c1", "c3"}) {
      REQUIRE(runtime.del(name).ok());
      CHECK(macOf(bridge) == mac);
    }
    CHECK(runtime.del("c2").ok());
  }
}

TEST_CASE("A bridge with a foreign port is kept") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Runtime runtime{minimalConfig()};
  REQUIRE(runtime.add("c1").ok());
  outputOf({"ip", "link", "add", "mine", "master", "pons0", "type", "veth", "peer", "name", "mine2"});
  REQUIRE(runtime.del("c1").ok());
  CHECK(has(outputOf({"ip", "link", "show", "master", "pons0"}), "mine"));
  CHECK(dumpLedger() == "");
  outputOf({"ip", "link", "del", "mine"});
  REQUIRE(runtime.add("c1").ok());
  REQUIRE(runtime.del("c1").ok());
  CHECK(!run({"ip", "link", "show", "dev", "pons0"}).ok());
}

TEST_CASE("A gateway address in the subnet of another link is refused, and nothing is changed") {
  for (const std::string other : {"10.42.0.9/24", "10.42.0.130/25", "10.0.0.1/8"}) {
    CAPTURE(other);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    outputOf({"ip", "link", "add", "lan0", "up", "type", "bridge"});
    outputOf({"ip", "addr", "add", other, "dev", "lan0"});
    const std::string before = dumpAll(host);
    const auto error = errorOf(Runtime{minimalConfig()}.add("c1"));
    CHECK(error.code == pons::cni::ErrorCode::InvalidConfig);
    CHECK(has(error.message, "lan0"));
    CHECK(has(error.message, other));
    CHECK(difference(before, dumpAll(host)) == "");
  }
}

TEST_CASE("A host address of another link inside the subnet is no overlap") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "flannel.1", "up", "type", "bridge"});
  outputOf({"ip", "addr", "add", "10.42.0.0/32", "dev", "flannel.1"});
  const std::string before = dumpAll(host);
  const Runtime runtime{minimalConfig()};
  REQUIRE(runtime.add("c1").ok());
  REQUIRE(runtime.del("c1").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("Disjoint subnets share one bridge, each with its gateway") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string before = dumpAll(host);
  const Runtime first{minimalConfig()};
  const Runtime second{R"({"cniVersion": "1.1.0", "name": "two", "type": "pons", "ipam": {"subnet": "10.43.0.0/16"}})"};
  REQUIRE(first.add("c1").ok());
  REQUIRE(second.add("c2").ok());
  CHECK(has(addressesOf("pons0"), "10.42.0.1/24"));
  CHECK(has(addressesOf("pons0"), "10.43.0.1/16"));
  REQUIRE(first.del("c1").ok());
  CHECK(!has(addressesOf("pons0"), "10.42.0.1/24"));
  CHECK(has(addressesOf("pons0"), "10.43.0.1/16"));
  REQUIRE(second.del("c2").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("forceAddress replaces an overlapping address of the bridge, which the last DEL restores") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
  outputOf({"ip", "addr", "add", "10.42.0.254/24", "brd", "+", "dev", "br-admin"});
  outputOf({"ip", "addr", "add", "172.16.0.1/24", "brd", "+", "dev", "br-admin"});
  const std::string before = dumpAll(host);
  const std::string members = R"("ipam": {"subnet": "10.42.0.0/24"}, "bridge": "br-admin")";
  CHECK(errorOf(Runtime{demoConfig(members)}.add("c1")).code == pons::cni::ErrorCode::InvalidConfig);
  CHECK(difference(before, dumpAll(host)) == "");

  const Runtime forced{demoConfig(members + R"(, "forceAddress": true)")};
  REQUIRE(forced.add("c1").ok());
  CHECK(!has(addressesOf("br-admin"), "10.42.0.254/24"));
  CHECK(has(addressesOf("br-admin"), "10.42.0.1/24"));
  CHECK(has(addressesOf("br-admin"), "172.16.0.1/24"));
  REQUIRE(forced.del("c1").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("A gateway address that the bridge had before is kept") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "link", "add", "br-admin", "up", "type", "bridge"});
  outputOf({"ip", "addr", "add", "10.42.0.1/24", "brd", "+", "dev", "br-admin"});
  const std::string before = dumpAll(host);
  const Runtime runtime{demoConfig(R"("ipam": {"subnet": "10.42.0.0/24"}, "bridge": "br-admin")")};
  REQUIRE(runtime.add("c1").ok());
  REQUIRE(runtime.del("c1").ok());
  CHECK(difference(before, dumpAll(host)) == "");
}

TEST_CASE("MTU, hairpin and isolation reach the links") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string ipam = R"("ipam": {"subnet": "10.42.0.0/24"}, )";
  for (const bool on : {true, false}) {
    const std::string text = on ? "true" : "false";
    const std::string config =
        demoConfig(ipam + R"("mtu": 1400, "hairpinMode": )" + text + R"(, "portIsolation": )" + text);
    const Runtime runtime{config};
    const auto result = runtime.add("c1");
    REQUIRE(result.ok());
    CHECK(runtime.check("c1", *result).ok());
    const std::string port = outputOf({"ip", "-d", "-o", "link", "show", "master", "pons0"});
    CHECK(has(port, on ? "hairpin on" : "hairpin off"));
    CHECK(has(port, on ? "isolated on" : "isolated off"));
    CHECK(has(port, "mtu 1400"));
    CHECK(has(outputOf({"ip", "link", "show", "dev", "pons0"}), "mtu 1400"));
    CHECK(has(outputOf({"ip", "-n", "c1", "link", "show", "dev", "eth0"}), "mtu 1400"));
    REQUIRE(runtime.del("c1").ok());
  }
}

TEST_CASE("A foreign link with the name of the host veth is refused and kept") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string name = pons::hostVethName(keyOf("c1")).toString();
  outputOf({"ip", "link", "add", name, "type", "bridge"});
  const auto error = errorOf(Runtime{minimalConfig()}.add("c1"));
  CHECK(has(error.message, name));
  CHECK(has(outputOf({"ip", "-d", "link", "show", "dev", name}), "bridge forward_delay"));
  CHECK(dumpLedger() == "");
}

TEST_CASE("A veth left by an ADD whose state directory was lost is replaced") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string name = pons::hostVethName(keyOf("c1")).toString();
  outputOf({"ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", "c2"});
  outputOf({"ip", "link", "set", name, "alias", "pons demo c1 eth0"});
  const Runtime runtime{minimalConfig()};
  const auto added = runtime.add("c1");
  REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().message));
  CHECK(runtime.check("c1", *added).ok());
  CHECK(runtime.del("c1").ok());
}
