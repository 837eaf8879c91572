// What another container, network or link has already: the error names it, and the host stays as it was.
#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::config;
using pons::test::configWithIpam;

namespace {

std::string publishing(const std::string& mapping) {
  return configWithIpam(R"("runtimeConfig": {"portMappings": [)" + mapping + "]}");
}

}  // namespace

TEST_CASE("A requested address that is not available to containers is refused with the reason") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addOutside();
  const Unchanged unchanged{host};
  const auto refusal = [](const std::string& address, const std::string& reason) {
    checkError(add(configWithIpam(""), {.args = "IP=" + address}), ErrorCode::InvalidConfig, {address, reason});
  };
  refusal("10.42.0.1", "is the gateway");
  refusal("10.42.0.0", "is the network address of 10.42.0.0/24");
  refusal("10.42.0.255", "is the broadcast address of 10.42.0.0/24");
  refusal("10.43.0.7", "is not in a subnet");
  refusal("fd00::7", "is not in a subnet");
  checkError(add(config(R"("ipam": {"subnet": "192.0.2.0/24"})"), {.args = "IP=192.0.2.1"}), ErrorCode::InvalidConfig,
             {"192.0.2.1", "gateway"});
}

TEST_CASE("Code 7: a requested address that is taken names its owner") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  resultOf(add(configWithIpam(""), {.args = "IP=10.42.0.7"}));
  const Unchanged unchanged{host};
  checkError(add(configWithIpam(""), {.container = "c2", .netns = "/run/netns/c2", .args = "IP=10.42.0.7"}),
             ErrorCode::InvalidConfig, {"10.42.0.7", "demo", "c1", "eth0"});
}

TEST_CASE("Code 7: a host port that is taken names its owner, wildcard against address too") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  resultOf(add(publishing(R"({"hostPort": 8080, "containerPort": 80})")));
  const Unchanged unchanged{host};
  for (const char* rival : {R"({"hostPort": 8080, "containerPort": 81})",
                            R"({"hostPort": 8080, "containerPort": 80, "hostIP": "127.0.0.1"})"}) {
    checkError(add(publishing(rival), {.container = "c2", .netns = "/run/netns/c2"}), ErrorCode::InvalidConfig,
               {"8080/tcp", "demo", "c1", "eth0"});
  }
}

TEST_CASE("Code 7: a link of the bridge's name that is none, and a subnet that the host uses itself") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addOutside();
  const Unchanged unchanged{host};
  checkError(add(configWithIpam(R"("bridge": "uplink")")), ErrorCode::InvalidConfig,
             {"uplink", "not a bridge", "veth"});
  checkError(add(config(R"("ipam": {"subnet": "192.0.2.128/25"})")), ErrorCode::InvalidConfig,
             {"192.0.2.129/25", "192.0.2.1/24", "uplink"});
}

TEST_CASE("Code 7: a foreign link under the veth's name is named and kept; 100 is for what is attached alone") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string network = configWithIpam("");
  for (const char* foreign : {"veth peer name other", "bridge", "dummy"}) {
    CAPTURE(foreign);
    REQUIRE_FAKE_HOST(host);
    for (const char* name : {"c1", "c2"}) host.addNamespace(name);
    const auto result = resultOf(add(network));
    const auto interfaces = result["interfaces"].items();
    REQUIRE(interfaces.size() == 3);
    const std::string veth = textOf(interfaces[1]["name"]);
    checkSilent(del(network));
    if (!run({"sh", "-c", "ip link add " + veth + " type " + foreign}).ok()) continue;  // no such kind here
    {
      const Unchanged unchanged{host};
      checkError(add(network), ErrorCode::InvalidConfig, {veth, "not created by pons"});
    }
    // Another container is not concerned.
    resultOf(add(network, {.container = "c2", .netns = "/run/netns/c2"}));
    outputOf({"ip", "link", "del", veth});
    resultOf(add(network));
    checkError(add(network), ErrorCode::AlreadyAttached, {"c1", "call DEL first"});
    checkError(add(network, {.container = "c2", .netns = "/run/netns/c2"}), ErrorCode::AlreadyAttached, {"c2"});
    for (const char* name : {"c1", "c2"}) {
      checkSilent(del(network, {.container = name, .netns = std::string{"/run/netns/"} + name}));
    }
  }
}

TEST_CASE("Code 7: an existing interface in the container is refused, and kept") {
  REQUIRE_FAKE_HOST(host);
  const std::string netns = host.addNamespace("c1");
  const Outcome first = add(configWithIpam(""));
  resultOf(first);
  const std::string inside = host.inside(netns, dumpNetwork);
  {
    const Unchanged unchanged{host};
    const std::string other =
        R"({"cniVersion": "1.1.0", "name": "other", "type": "pons", "ipam": {"subnet": "10.43.0.0/24"}})";
    checkError(add(other), ErrorCode::InvalidConfig, {"interface eth0", netns});
  }
  CHECK(host.inside(netns, dumpNetwork) == inside);
  checkSilent(check(withPrevious(configWithIpam(""), first.out)));
}
