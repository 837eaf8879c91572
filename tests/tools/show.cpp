// ponsctl show: of sample attachments, and on a host.
#include "plugin/ctl/show.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

LinkFact linkOf(const std::string& name, const std::string& where, bool up) {
  netlib::link::Link link;
  link.name = name;
  link.mtu = 1500;
  link.flags = up ? 1 : 0;  // IFF_UP
  link.mac = netlib::MacAddress::parse("0a:58:0a:2a:00:07").value();
  return {.name = name,
          .where = where,
          .link = link,
          .statistics = {.receivedBytes = 123,
                         .receivedPackets = 2,
                         .receivedDropped = 0,
                         .sentBytes = 5'000'000'000,
                         .sentPackets = 4'000'000,
                         .sentDropped = 17}};
}

Shown sound() {
  Shown shown{oneStatus(), {}};
  shown.facts = {.links = {linkOf("eth0", "container", true), linkOf("pons4a25852d93e", "host", true),
                           linkOf("pons0", "bridge", true)},
                 .addresses = {"10.42.0.7/24", "fd42::7/64"},
                 .routes = {{"0.0.0.0/0", "10.42.0.1", 0, 0}, {"fe80::/64", "", 256, 1400}},
                 .rules = {{"ip pons", "forwards_any", "tcp 8080 to 10.42.0.7 port 80", true}},
                 .references = {{"bridge-pons0", 12}, {"nat-ipv4", 1}}};
  return shown;
}

Shown broken() {
  Shown shown{allHealths().front(), sound().facts};
  shown.status.attachment->bandwidth = pons::Bandwidth{.ingress = pons::RateLimit{20'000'000, 160'000}};
  shown.status.attachment->ingress = pons::IngressPolicy::Isolated;
  shown.status.attachment->isolated = true;
  shown.status.attachment->hostLocalDir = "/var/lib/cni/networks";
  shown.facts.links[0] = {.name = "eth0", .where = "container"};
  shown.facts.links[1] = linkOf("pons4a25852d93e", "host", false);
  shown.facts.rules[0].present = false;
  shown.status.attachment->guard = pons::SpoofGuard::Address;
  shown.status.attachment->egress =
      pons::EgressPolicy{.destinations = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")},
                         .tcpPorts = {443, 8443},
                         .udpPorts = {},
                         .nameservers = {ip("10.42.0.1")}};
  shown.facts.denied = netlib::nft::Counted{.packets = 17, .bytes = 3400};
  return shown;
}

Shown unreadable() { return {allHealths().at(7), {}}; }

}  // namespace

TEST_CASE("ponsctl show prints everything about one container, at most as wide as the terminal") {
  checkGolden("show-1-80.txt", showText({sound()}, kNarrow));
  checkGolden("show-1-200.txt", showText({sound()}, kWide));
  checkGolden("show-1.json", showJson({sound()}));
  const std::vector<Shown> many{broken(), unreadable()};
  checkGolden("show-many-80.txt", showText(many, kNarrow));
  checkGolden("show-many-200.txt", showText(many, kWide));
  checkGolden("show-many.json", showJson(many));
  checkWidth(showText(many, kNarrow), 80);
}

TEST_CASE("On a host: ponsctl show finds a container by a prefix of its ID, and prints traffic and rules") {
  REQUIRE_FAKE_HOST(host);
  CHECK(contains(tool({"show", "c1"}).err, "no attachments are recorded"));
  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  const std::string address = demo.attach(host, "c0ffee1", publishing({{8080, 80}}));
  demo.attach(host, "c0ffee2");
  shell("ip -n c0ffee1 link set eth0 arp off");
  shell("ip netns exec c0ffee1 bash -c 'for i in 1 2 3; do echo hello > /dev/udp/10.42.0.1/9; done'");
  {
    const Unchanged unchanged{host};
    const Outcome shown = tool({"show", "c0ffee1"});
    CHECK(shown.ok());
    const std::vector<std::string> words{"container    c0ffee1\n", "health       ok\n",
                                         "address      " + address + "/24", "tcp 8080 to " + address + " port 80",
                                         "bridge-pons-demo/demo "};
    for (const std::string& word : words) { CHECK_MESSAGE(contains(shown.out, word), shown.out); }
    CHECK(!contains(shown.out, "missing"));
    const auto document = jsonOf(tool({"show", "c0ffee1", "--json"}));
    const auto links = document["attachments"].items().at(0)["links"].items();
    REQUIRE(links.size() == 3);
    CHECK(textOf(links[0]["name"]) == "eth0");
    CHECK(links[0]["sentPackets"].integer().value_or(0) >= 3);
    CHECK(links[1]["receivedBytes"].integer().value_or(0) >= 3 * 48);
  }
  CHECK(contains(tool({"show", "c0ffee"}).err, "2 container IDs begin with c0ffee: c0ffee1, c0ffee2"));
  CHECK(tool({"show", "c0ffee"}).exitCode == 1);
  CHECK(tool({"show", "d"}).exitCode == 1);
  CHECK(tool({"show"}).exitCode == 2);
  demo.attach(host, "c0f");
  CHECK(contains(tool({"show", "c0f"}).out, "container    c0f\n"));
  shell("nft flush ruleset && ip link del pons-demo");
  const std::string shown = tool({"show", "c0ffee1"}).out;
  CHECK_MESSAGE(contains(shown, "bridge pons-demo is missing"), shown);
  CHECK_MESSAGE(contains(shown, "missing"), shown);
}

TEST_CASE("On a host: ponsctl show prints the spoof guard, the egress policy and the denied packets") {
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": {"allowedCidrs": ["192.0.2.0/24"]})"};
  demo.attach(host, "c1");
  shell("ip netns exec c1 bash -c 'for i in 1 2 3; do echo hello > /dev/udp/10.42.0.1/9; done'");
  const std::string shown = tool({"show", "c1"}).out;
  for (const char* words : {"spoof guard  on (MAC and IP)", "egress       to 192.0.2.0/24", "by the egress policy",
                            "bridge pons", "policies"}) {
    CHECK_MESSAGE(contains(shown, words), shown);
  }
  CHECK(!contains(shown, "missing"));
  const auto document = jsonOf(tool({"show", "c1", "--json"}));
  CHECK(document["attachments"].items().at(0)["egressDenied"]["packets"].integer() == 3);
  shell("nft delete table bridge pons");
  CHECK(contains(tool({"show", "c1"}).out, "missing"));
}
