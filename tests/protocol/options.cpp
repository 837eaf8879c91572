// Configuration options are applied in the kernel and shown in the result.
#include <filesystem>
#include <fstream>
#include <regex>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::json::Document;
using pons::json::Value;
using pons::test::config;
using pons::test::configWithIpam;

namespace {

/// What "ip -j" prints is a list, and our parser takes objects only.
Document listOf(std::vector<std::string> command) {
  return Document::parse("{\"list\": " + outputOf(command) + "}").value();
}

/// The link of that name in the format of "ip -d -j"; in the container if `netns` is not empty.
Document linkOf(const std::string& name, const std::string& netns = {}) {
  std::vector<std::string> command{"ip", "-d", "-j"};
  if (!netns.empty()) command.insert(command.end(), {"-n", netns});
  command.insert(command.end(), {"link", "show", "dev", name});
  return listOf(command);
}

Value only(const Document& list) { return list["list"].items().at(0); }

std::string hostVethOf(const Document& result) { return textOf(result["interfaces"].items().at(1)["name"]); }

}  // namespace

TEST_CASE("mtu: set on both veth ends and the bridge, and shown in the result") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Document result = resultOf(add(configWithIpam(R"("mtu": 1400)")));
  CHECK(only(linkOf("eth0", "c1"))["mtu"].integer() == 1400);
  CHECK(only(linkOf(hostVethOf(result)))["mtu"].integer() == 1400);
  CHECK(only(linkOf("pons0"))["mtu"].integer() == 1400);
  for (const Value& interface : result["interfaces"].items()) CHECK(interface["mtu"].integer() == 1400);
}

TEST_CASE("mtu: \"auto\" is the MTU of the default route's link, or the kernel's default without a default route") {
  for (const std::int64_t uplink : {1400, 9000, 0}) {
    CAPTURE(uplink);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    if (uplink != 0) {
      host.addOutside();
      outputOf({"ip", "link", "set", "uplink", "mtu", std::to_string(uplink)});
    }
    const std::int64_t expected = uplink == 0 ? 1500 : uplink;
    const Document result = resultOf(add(configWithIpam(R"("mtu": "auto")")));
    CHECK(only(linkOf("eth0", "c1"))["mtu"].integer() == expected);
    CHECK(result["interfaces"].items().at(2)["mtu"].integer() == expected);
  }
}

TEST_CASE("mtu: \"auto\" that is too small for IPv6 is refused where the container gets an IPv6 address") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addOutside();
  outputOf({"ip", "link", "set", "uplink", "mtu", "1279"});
  {
    const Unchanged unchanged{host};
    checkError(
        add(config(R"("mtu": "auto", "ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00::/64"}]]})")),
        ErrorCode::InvalidConfig, {"\"mtu\": \"auto\"", "1279", "1280"});
  }
  resultOf(add(configWithIpam(R"("mtu": "auto")")));
}

TEST_CASE("Routes of a family in which the container has no address are left out, and a log line says so") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = config(
      R"("logLevel": "info", "ipam": {"subnet": "10.42.0.0/24", "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})");
  const Outcome attached = add(network);
  const Document result = resultOf(attached);
  REQUIRE(result["routes"].items().size() == 1);
  CHECK(textOf(result["routes"].items()[0]["dst"]) == "0.0.0.0/0");
  CHECK(contains(attached.err, "route to ::/0 is skipped: the container has no IPv6 address"));
  CHECK(contains(outputOf({"ip", "-n", "c1", "route"}), "default via 10.42.0.1"));
  checkSilent(check(withPrevious(network, attached.out)));
}

TEST_CASE("Routes with mtu, advmss, priority, table and scope are so in the container") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = config(R"("ipam": {"subnet": "10.42.0.0/24", "routes": [
      {"dst": "10.50.0.0/16", "gw": "10.42.0.9", "mtu": 1400, "advmss": 1360},
      {"dst": "10.51.0.0/16", "priority": 77},
      {"dst": "10.52.0.0/16", "table": 100},
      {"dst": "10.53.0.0/16", "scope": 253}]})");
  const Outcome attached = add(network);
  const Document result = resultOf(attached);
  const auto route = [](const std::string& destination) {
    return outputOf({"ip", "-n", "c1", "-N", "route", "show", "table", "all", destination});
  };
  CHECK(contains(route("10.50.0.0/16"), "via 10.42.0.9 dev eth0"));
  CHECK(contains(route("10.50.0.0/16"), "mtu 1400 advmss 1360"));
  CHECK(contains(route("10.51.0.0/16"), "via 10.42.0.1 dev eth0"));
  CHECK(contains(route("10.51.0.0/16"), "metric 77"));
  CHECK(contains(route("10.52.0.0/16"), "table 100"));
  CHECK(contains(route("10.53.0.0/16"), "scope 253"));
  CHECK(!contains(route("10.53.0.0/16"), "via"));

  const auto routes = result["routes"].items();
  REQUIRE(routes.size() == 5);
  CHECK(routes[0]["mtu"].integer() == 1400);
  CHECK(routes[0]["advmss"].integer() == 1360);
  CHECK(routes[1]["priority"].integer() == 77);
  CHECK(routes[2]["table"].integer() == 100);
  CHECK(routes[3]["scope"].integer() == 253);
  CHECK(textOf(routes[4]["dst"]) == "0.0.0.0/0");
  checkSilent(check(withPrevious(network, attached.out)));
}

TEST_CASE("A plain L2 network: a port of the bridge without addresses, routes and rules of IP") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const Outcome attached = add(config(""));
  const Document result = resultOf(attached);
  CHECK(result["interfaces"].items().size() == 3);
  CHECK(!result["ips"].present());
  CHECK(!result["routes"].present());
  CHECK(contains(textOf(only(linkOf(hostVethOf(result)))["master"]), "pons0"));
  CHECK(outputOf({"ip", "-4", "addr", "show", "dev", "pons0"}).empty());
  CHECK(outputOf({"ip", "-n", "c1", "-4", "addr", "show", "dev", "eth0"}).empty());
  CHECK(contains(outputOf({"ip", "-n", "c1", "-br", "link", "show", "dev", "eth0"}), ",UP,"));
  CHECK(outputOf({"nft", "list", "tables"}) == "table bridge pons\n");  // the guard of its MAC address
  checkSilent(check(withPrevious(config(""), attached.out)));
  checkSilent(del(config("")));
}

TEST_CASE("disableContainerInterface leaves the container's interface down") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = config(R"("disableContainerInterface": true)");
  const Outcome attached = add(network);
  resultOf(attached);
  CHECK(!contains(outputOf({"ip", "-n", "c1", "-br", "link", "show", "dev", "eth0"}), "UP"));
  checkSilent(check(withPrevious(network, attached.out)));
  checkError(add(configWithIpam(R"("disableContainerInterface": true)"), {.ifName = "eth1"}), ErrorCode::InvalidConfig,
             {"disableContainerInterface"});
}

TEST_CASE("Flags of the bridge port: isolation and hairpin") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const auto isPort = [](const std::string& members, bool isolated, bool hairpin) {
    const Document result = resultOf(add(configWithIpam(members)));
    const Document link = linkOf(hostVethOf(result));
    const Value data = only(link)["linkinfo"]["info_slave_data"];
    CHECK(data["isolated"].boolean() == isolated);
    CHECK(data["hairpin"].boolean() == hairpin);
    checkSilent(del(configWithIpam(members)));
  };
  isPort("", false, true);
  isPort(R"("portIsolation": true)", true, true);
  isPort(R"("hairpinMode": false)", false, false);
}

TEST_CASE("A requested MAC, from each of its sources") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string mac = "c2:11:22:33:44:55";
  const std::string lower = R"({"mac": ")" + mac + "\"}";
  const auto attach = [&](const std::string& network, const Subject& subject) {
    const Unchanged unchanged{host};
    const Document result = resultOf(add(network, subject));
    CHECK(textOf(result["interfaces"].items().at(2)["mac"]) == mac);
    CHECK(textOf(only(linkOf("eth0", "c1"))["address"]) == mac);
    checkSilent(del(network, subject));
  };
  attach(configWithIpam(R"("runtimeConfig": )" + lower), {});
  attach(configWithIpam(R"("args": {"cni": )" + lower + "}"), {});
  attach(configWithIpam(""), {.args = "IgnoreUnknown=1;MAC=C2:11:22:33:44:55;K8S_POD_NAME=web"});
}

TEST_CASE("Requested addresses, and excluded addresses") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const auto addressFor = [&](const std::string& network, const Subject& subject) {
    const Unchanged unchanged{host};
    const std::string address = addressIn(resultOf(add(network, subject)));
    CHECK(contains(outputOf({"ip", "-n", "c1", "addr", "show", "dev", "eth0"}), "inet " + address + "/"));
    checkSilent(del(network, subject));
    return address;
  };
  CHECK(addressFor(configWithIpam(R"("runtimeConfig": {"ips": ["10.42.0.9/16"]})"), {}) == "10.42.0.9");
  CHECK(addressFor(configWithIpam(R"("args": {"cni": {"ips": ["10.42.0.10"]}})"), {}) == "10.42.0.10");
  CHECK(addressFor(configWithIpam(""), {.args = "IP=10.42.0.11"}) == "10.42.0.11");
  // Of six addresses the gateway has one, and four more are excluded.
  const std::string excluding =
      config(R"("ipam": {"subnet": "10.42.0.0/29", "exclude": ["10.42.0.2", "10.42.0.3/32", "10.42.0.4/31"]})");
  CHECK(addressFor(excluding, {}) == "10.42.0.6");
  checkError(add(excluding, {.args = "IP=10.42.0.5"}), ErrorCode::InvalidConfig, {"10.42.0.5", "10.42.0.4/31"});
}

TEST_CASE("DNS from resolvConf, from the file, and from the runtime, which wins") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  std::ofstream{"/run/resolv.conf"} << "nameserver 192.0.2.53\nsearch example.org\noptions ndots:2\n";
  const std::string ipam = R"("ipam": {"subnet": "10.42.0.0/24", "resolvConf": "/run/resolv.conf"})";
  const auto nameserverOf = [](const std::string& network) {
    const Document result = resultOf(add(network));
    checkSilent(del(network));
    return textOf(result["dns"]["nameservers"].items().at(0));
  };
  const std::string own = R"(, "dns": {"nameservers": ["192.0.2.54"]})";
  CHECK(nameserverOf(config(ipam)) == "192.0.2.53");
  CHECK(nameserverOf(config(ipam + own)) == "192.0.2.54");
  CHECK(nameserverOf(
            config(ipam + own + R"(, "runtimeConfig": {"dns": {"Servers": ["192.0.2.55"], "Searches": null}})")) ==
        "192.0.2.55");
  const Document result = resultOf(add(config(ipam)));
  CHECK(textOf(result["dns"]["search"].items().at(0)) == "example.org");
  CHECK(textOf(result["dns"]["options"].items().at(0)) == "ndots:2");
}

TEST_CASE("stateDir, from the configuration or the environment, keeps the attachments apart") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string inFile = configWithIpam(R"("stateDir": "/run/elsewhere/pons")");
  resultOf(add(inFile));
  CHECK(!std::filesystem::exists("/run/pons"));
  CHECK(contains(ledgerText("/run/elsewhere/pons"), "c1:eth0.json"));
  checkSilent(del(inFile));
  CHECK(ledgerText("/run/elsewhere/pons").empty());

  auto environment = environmentOf("ADD");
  environment.emplace_back("PONS_STATE_DIR=/run/third");
  resultOf(run({PONS_BINARY}, {.environment = environment, .input = configWithIpam("")}));
  CHECK(!std::filesystem::exists("/run/pons"));
  CHECK(contains(ledgerText("/run/third"), "c1:eth0.json"));
}
