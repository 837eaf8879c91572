// Every version of CNI on a real kernel, the results of earlier plugins, and what runtimes leave out of a DEL.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"
#include "tests/support/traffic.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::json::Document;
using pons::test::config;
using pons::test::configWithIpam;

namespace {

const std::string kDualStack =
    R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00::/64"}]], "routes": [{"dst": "0.0.0.0/0"}]})";

/// As Go's encoding of a struct without tags has it (containerd).
constexpr const char* kGoCasedPorts =
    R"("runtimeConfig": {"portMappings": [{"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]})";

/// 0.1.0 and 0.2.0
void checkFamilies(const Document& result) {
  CHECK(!result["interfaces"].present());
  CHECK(!result["ips"].present());
  CHECK(textOf(result["ip4"]["ip"]) == "10.42.0.7/24");
  CHECK(textOf(result["ip4"]["gateway"]) == "10.42.0.1");
  CHECK(textOf(result["ip4"]["routes"].items().at(0)["dst"]) == "0.0.0.0/0");
  CHECK(textOf(result["ip6"]["ip"]) == "fd00::7/64");
  CHECK(textOf(result["ip6"]["routes"].items().at(0)["dst"]) == "::/0");
  CHECK(result["dns"].isObject());
}

/// From 0.3.0 on
void checkLists(const Document& result, const std::string& version) {
  const auto interfaces = result["interfaces"].items();
  REQUIRE(interfaces.size() == 3);
  CHECK(textOf(interfaces[0]["name"]) == "pons0");
  CHECK(textOf(interfaces[1]["name"]).starts_with("pons"));
  CHECK(textOf(interfaces[2]["name"]) == "eth0");
  CHECK(!interfaces[0]["sandbox"].present());
  CHECK(!interfaces[1]["sandbox"].present());
  CHECK(textOf(interfaces[2]["sandbox"]) == "/run/netns/c1");
  for (const auto& interface : interfaces) {
    CHECK(textOf(interface["mac"]).size() == 17);
    CHECK(interface["mtu"].integer() == (version == "1.1.0" ? std::optional<std::int64_t>{1500} : std::nullopt));
  }
  const auto ips = result["ips"].items();
  REQUIRE(ips.size() == 2);
  CHECK(textOf(ips[0]["address"]) == "10.42.0.7/24");
  CHECK(textOf(ips[1]["address"]) == "fd00::7/64");
  const bool namesFamily = version.starts_with("0.");
  CHECK(textOf(ips[0]["version"]) == (namesFamily ? "4" : ""));
  CHECK(textOf(ips[1]["version"]) == (namesFamily ? "6" : ""));
  for (const auto& address : ips) CHECK(address["interface"].integer() == 2);
  CHECK(result["routes"].items().size() == 2);
  CHECK(result["dns"].present() == namesFamily);
}

}  // namespace

TEST_CASE("ADD, CHECK and DEL in every version of CNI") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Subject subject{.args = "IP=10.42.0.7,fd00::7"};
  for (const std::string version : {"", "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    CAPTURE(version);
    const Unchanged unchanged{host};
    const std::string network = configOf(version, kDualStack);
    const Outcome attached = add(network, subject);
    const Document result = resultOf(attached);
    CHECK(textOf(result["cniVersion"]) == (version.empty() ? "0.1.0" : version));
    if (version < "0.3.0")
      checkFamilies(result);
    else
      checkLists(result, version);
    const std::string withResult = withPrevious(network, attached.out);
    if (version >= "0.4.0") checkSilent(check(withResult, subject));
    checkSilent(del(withResult, subject));
  }
}

TEST_CASE("prevResult is kept, and the interface indexes of pons follow its interfaces") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  for (const std::string version : {"0.3.1", "0.4.0", "1.0.0", "1.1.0"}) {
    CAPTURE(version);
    const Unchanged unchanged{host};
    const std::string loopback =
        R"({"cniVersion": ")" + version + R"(", "interfaces": [{"name": "lo", "mac": "00:00:00:00:00:00",
           "sandbox": "/run/netns/c1"}], "ips": [{"version": "4", "interface": 0, "address": "127.0.0.1/8"}],
           "dns": {"nameservers": ["192.0.2.53"]}})";
    const std::string network = configOf(version, pons::test::kIpam.data());
    const Outcome attached = add(withPrevious(network, loopback));
    const Document result = resultOf(attached);
    const auto interfaces = result["interfaces"].items();
    REQUIRE(interfaces.size() == 4);
    CHECK(textOf(interfaces[0]["name"]) == "lo");
    CHECK(textOf(interfaces[3]["name"]) == "eth0");
    const auto ips = result["ips"].items();
    REQUIRE(ips.size() == 2);
    CHECK(textOf(ips[0]["address"]) == "127.0.0.1/8");
    CHECK(ips[0]["interface"].integer() == 0);
    CHECK(ips[1]["interface"].integer() == 3);
    CHECK(textOf(result["dns"]["nameservers"].items().at(0)) == "192.0.2.53");
    if (version >= "0.4.0") checkSilent(check(withPrevious(network, attached.out)));
    checkSilent(del(network));
  }
}

TEST_CASE("The Go-cased keys of containerd publish the port") {
  REQUIRE_FAKE_HOST(host);
  const std::string netns = host.addNamespace("c1");
  const std::string outside = host.addOutside();
  const Unchanged unchanged{host};
  const std::string network = configWithIpam(kGoCasedPorts);
  const std::string address = addressIn(resultOf(add(network)));
  {
    const Server server{netns, Transport::Tcp, endpoint(address, 80), "web"};
    CHECK(ask(outside, Transport::Tcp, endpoint("192.0.2.1", 8080)) == "web 192.0.2.2");
  }
  checkSilent(del(network));
}

TEST_CASE("DEL needs neither namespace nor prevResult, runtimeConfig or the configuration of the ADD") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = config(kDualStack + ", " + kGoCasedPorts);
  const std::string bare = R"({"name": "demo", "type": "pons"})";
  const std::string changed =
      configOf("0.3.1", R"("bridge": "other0", "ipMasq": false, "ipam": {"subnet": "10.50.0.0/16"})");
  const std::string invalid = configOf("1.1.0", R"("vlan": 7, "mtu": "huge", "ipam": {"subnet": 5}, "prevResult": 3)");
  for (const std::string& atDel : {network, bare, changed, invalid}) {
    for (const std::string netns : {"/run/netns/c1", "", "/run/netns/gone", "/proc/self/ns/net", "/etc/passwd"}) {
      CAPTURE(atDel);
      CAPTURE(netns);
      const Unchanged unchanged{host};
      resultOf(add(network));
      checkSilent(del(atDel, {.netns = netns}));
      checkSilent(del(atDel, {.netns = netns}));
    }
  }
}

TEST_CASE("DEL of a container whose namespace is gone, and of an unknown one") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  const std::string netns = host.addNamespace("c1");
  const std::string network = configWithIpam(kGoCasedPorts);
  resultOf(add(network));
  host.removeNamespace(netns);
  checkSilent(del(network));
  checkSilent(del(network, {.container = "unknown"}));
}

TEST_CASE("The attachment of another container, interface or network outlives a DEL") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const std::string network = configWithIpam("");
  const Outcome first = add(network);
  resultOf(first);
  const Unchanged unchanged{host};
  resultOf(add(network, {.container = "c2", .netns = "/run/netns/c2"}));
  resultOf(add(configWithIpam(R"("isDefaultGateway": false)"), {.ifName = "eth1"}));
  checkSilent(del(network, {.container = "c2", .netns = "/run/netns/c2"}));
  checkSilent(del(network, {.ifName = "eth1"}));
  checkSilent(del(R"({"name": "other", "type": "pons"})"));
  checkSilent(check(withPrevious(network, first.out)));
}
