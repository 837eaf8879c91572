// ponsctl networks: of sample networks, and on a host.
#include "plugin/ctl/networks.h"

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

constexpr netlib::Uint128 kHuge = netlib::Uint128{1} << 64;

NetworkState oneNetwork() {
  return {.name = "demo",
          .bridge = "pons0",
          .ports = 3,
          .attachments = 3,
          .pools = {{"10.42.0.0/24", 253, 3}, {"fd42::/64", kHuge - 2, 3}},
          .origin = "/etc/cni/net.d/10-demo.conflist"};
}

std::vector<NetworkState> manyNetworks() {
  return {oneNetwork(),
          {.name = "full",
           .bridge = "pons-full",
           .ports = 1023,
           .attachments = 1023,
           .pools = {{"10.0.0.0/22", 1021, 1021}}},
          {.name = "l2", .bridge = "br-lan", .origin = "/etc/cni/net.d/20-l2.conf"},
          {.name = "scarce",
           .bridge = "pons1",
           .ports = 12,
           .attachments = 12,
           .pools = {{"10.1.0.10-10.1.0.19, 10.2.0.10-10.2.0.19, 10.3.0.10-10.3.0.19", 30, 28}},
           .ipam = "host-local",
           .origin = "/etc/cni/net.d/30-scarce.conflist"},
          {.name = "with-dhcp", .bridge = "pons2", .ports = 1, .attachments = 1, .ipam = "dhcp"}};
}

std::string listed(const std::vector<NetworkState>& networks, const Terminal& terminal) {
  return viewed(networksJson(networks), networksText, terminal);
}

}  // namespace

TEST_CASE("ponsctl networks prints pools and ports, at most as wide as the terminal") {
  CHECK(listed({}, kNarrow) == "no networks\n");
  checkGolden("networks-0.json", networksJson({}));
  checkGolden("networks-1-80.txt", listed({oneNetwork()}, kNarrow));
  checkGolden("networks-1-200.txt", listed({oneNetwork()}, kWide));
  checkGolden("networks-1.json", networksJson({oneNetwork()}));
  checkGolden("networks-many-80.txt", listed(manyNetworks(), kNarrow));
  checkGolden("networks-many-200.txt", listed(manyNetworks(), kWide));
  checkGolden("networks-many.json", networksJson(manyNetworks()));
  checkGolden("networks-coloured.txt", listed(manyNetworks(), {.width = 80, .hasColours = true}));
  checkWidth(listed({oneNetwork()}, kNarrow), 80);
  // Numbers beyond those of JSON.
  CHECK(contains(listed({oneNetwork()}, kWide), "fd42::/64     ≥2^63     3  ≥2^63"));
  NetworkState longNames = oneNetwork();
  longNames.name = std::string(28, 'n');
  const std::string narrow = listed({longNames}, kNarrow);
  checkWidth(narrow, 80);
  for (const char* important : {"NETWORK", "PORTS", "SIZE", "FREE"}) CHECK_MESSAGE(contains(narrow, important), narrow);
  CHECK_MESSAGE(!contains(narrow, "FROM"), narrow);
}

TEST_CASE("On a host: ponsctl networks lists configured networks and those with attachments") {
  REQUIRE_FAKE_HOST(host);
  const std::vector<std::string> command{"networks", "--config-dir", "/run/net.d"};
  CHECK(tool(command).out == "no networks\n");
  shell(R"(echo '{"cniVersion": "1.0.0", "name": "demo", "plugins": [{"type": "pons", "bridge": "pons-demo",
           "ipam": {"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.10", "rangeEnd": "10.42.0.12"}}]}' > /run/net.d/1.conflist)");
  shell(
      R"(echo '{"cniVersion": "1.0.0", "name": "foreign", "type": "bridge", "ipam": {"type": "dhcp"}}' > /run/net.d/2.conf)");
  shell(
      R"(echo '{"cniVersion": "1.0.0", "name": "away", "type": "pons", "stateDir": "/run/away"}' > /run/net.d/3.conf)");
  shell("echo '{' > /run/net.d/4.conf && touch /run/net.d/README");
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.10", "rangeEnd": "10.42.0.12"})"};
  Network recorded{"recorded", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  recorded.attach(host, "r1");
  const Unchanged unchanged{host};
  const Outcome listed = tool(command, {"COLUMNS=200"});
  CHECK(listed.ok());
  CHECK_MESSAGE(contains(listed.out,
                         "demo      pons-demo      2/1023      2  10.42.0.10-10.42.0.12     3     2     1  1.conflist"),
                listed.out);
  CHECK_MESSAGE(contains(listed.out, "10.43.0.0/24            253     1   252  records"), listed.out);
  CHECK(!contains(listed.out, "foreign"));
  CHECK(contains(listed.err, "/run/net.d/3.conf: its ledger is in /run/away"));
  CHECK(contains(listed.err, "/run/net.d/4.conf: invalid JSON at line 2, column 1"));
  const auto document = jsonOf(tool({"networks", "--json", "--config-dir", "/run/net.d"}));
  const auto networks = document["networks"].items();
  REQUIRE(networks.size() == 2);
  CHECK(networks[0]["pools"].items().at(0)["free"].integer() == 1);
}

TEST_CASE("On a host: ponsctl networks names the records that it cannot read") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  Network recorded{"recorded", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  recorded.attach(host, "r1");
  shell("echo noise > " + recordOf(recorded, "r1"));
  shell("echo noise > " + recordOf(demo, "c1"));
  const Outcome damaged = tool({"networks"});
  CHECK(damaged.ok());
  for (const char* key : {"recorded r1 eth0", "demo c1 eth0"}) {
    CHECK_MESSAGE(contains(damaged.err, "ponsctl networks: " + std::string{key} + ": "), damaged.err);
  }
  CHECK_MESSAGE(contains(damaged.out, "demo"), damaged.out);
}
