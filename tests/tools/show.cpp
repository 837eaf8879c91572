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
                 .routes = {{"0.0.0.0/0", "10.42.0.1", 0, 0}, {"fe80::/64", "", 256, 1400}, {"::/0", "fd42::1", 0, 0}},
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
  shown.facts.addresses = {"10.42.0.7/24", "10.42.0.254/24", "fd42::7/64", "fe80::858:aff:fe2a:7/64"};
  shown.nameservers = {ip("10.42.0.1"), ip("fd42::1")};
  shown.status.attachment->egress =
      pons::EgressPolicy{.destinations = {prefix("192.0.2.0/24"), prefix("2001:db8::/32")},
                         .tcpPorts = {443, 8443},
                         .udpPorts = {},
                         .nameservers = {ip("10.42.0.1")}};
  shown.facts.denied = netlib::nft::Counted{.packets = 17, .bytes = 3400};
  return shown;
}

Shown unreadable() { return {allHealths().at(7), {}}; }

std::string shownAs(const std::vector<Shown>& shown, const Terminal& terminal) {
  return viewed(showJson(shown), showText, terminal);
}

/// c1 and c2 of demo, one of them with a second network; and two pods of web.
std::vector<Named> fiveAttachments() {
  const auto named = [](const std::string& container, const std::string& network, const std::string& address,
                        const std::string& pod = {}) {
    AttachmentStatus status = statusOf(keyOf(container, network), {{prefix(address), std::nullopt}},
                                       {{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.7"), 80}});
    status.attachment->netnsPath = "/run/netns/cni-" + container;
    status.attachment->pod = pod;
    return Named{status.key, std::move(status.attachment)};
  };
  std::vector<Named> all{named("c0ffee1", "demo", "10.42.0.7/24"), named("c0ffee2", "demo", "fd42::7/64"),
                         named("c0ffee1", "web", "10.43.0.1/24"), named("80", "web", "10.43.0.2/24", "default/web-0"),
                         named("81", "web", "10.43.0.3/24", "other/web-0")};
  for (std::size_t i = 1; i < all.size(); ++i) all[i].attachment->forwards.clear();
  return all;
}

/// The keys, separated by commas, or the error.
std::string keysText(const std::string& name, const std::vector<Named>& all = fiveAttachments()) {
  const auto keys = keysNamed(all, name);
  if (!keys) return keys.error().message;
  std::string text;
  for (const pons::AttachmentKey& key : *keys) text += (text.empty() ? "" : ", ") + key.toString();
  return text;
}

}  // namespace

TEST_CASE("ponsctl show prints everything about one container, at most as wide as the terminal") {
  checkGolden("show-1-80.txt", shownAs({sound()}, kNarrow));
  checkGolden("show-1-200.txt", shownAs({sound()}, kWide));
  checkGolden("show-1.json", showJson({sound()}));
  const std::vector<Shown> many{broken(), unreadable()};
  checkGolden("show-many-80.txt", shownAs(many, kNarrow));
  checkGolden("show-many-200.txt", shownAs(many, kWide));
  checkGolden("show-many.json", showJson(many));
  checkWidth(shownAs(many, kNarrow), 80);
}

TEST_CASE(
    "ponsctl show: a container is named by its ID, pod, address, port, namespace or interface; a network by its name") {
  const std::string first = "demo c0ffee1 eth0, web c0ffee1 eth0";
  const std::string pod = "web 80 eth0";
  const std::string veth = pons::hostVethName(keyOf("c0ffee2")).toString();
  const std::vector<std::pair<std::string, std::string>> found{{"c0ffee1", first},
                                                               {"10.42.0.7", first},
                                                               {"10.43.0.1", first},
                                                               {"10.42.0.7/24", first},
                                                               {"8080", first},
                                                               {"8080/tcp", first},
                                                               {"/run/netns/cni-c0ffee1", first},
                                                               {"cni-c0ffee1", first},
                                                               {"c0ffee2", "demo c0ffee2 eth0"},
                                                               {"FD42:0::7", "demo c0ffee2 eth0"},
                                                               {veth, "demo c0ffee2 eth0"},
                                                               {"default/web-0", pod},
                                                               {"80", pod},
                                                               {"demo", "demo c0ffee1 eth0, demo c0ffee2 eth0"},
                                                               {"web", "web 80 eth0, web 81 eth0, web c0ffee1 eth0"}};
  for (const auto& [name, keys] : found) CHECK_MESSAGE(keysText(name) == keys, name);
  for (const char* name : {"8080/udp", "cni", "10.42.0.8", "web-1", "d", "10.42.0.7/23"}) {
    CHECK_MESSAGE(
        keysText(name).starts_with("nothing on record is called \"" + std::string{name} + "\": no container ID"), name);
  }
  CHECK(keysText("") == "the name of the container is empty");
  CHECK(keysText("web-0") == "\"web-0\" is ambiguous: default/web-0 (container 80), other/web-0 (container 81)");
  CHECK(keysText("c0ffee") == "\"c0ffee\" is ambiguous: container c0ffee1, container c0ffee2");
  CHECK(keysText("8") == "\"8\" is ambiguous: default/web-0 (container 80), other/web-0 (container 81)");
  // An exact ID is first, then any other exact name, then a prefix.
  auto all = fiveAttachments();
  all[1].attachment->forwards = {{pons::Protocol::Udp, ip("0.0.0.0"), 8, ip("10.42.0.8"), 80}};
  CHECK(keysText("8", all) == "demo c0ffee2 eth0");
  all[1].attachment->forwards.front().hostPort = 80;
  CHECK(keysText("80", all) == pod);
  all[4].attachment->pod = "other/demo";
  CHECK(keysText("demo", all) == "\"demo\" is ambiguous: network demo, other/demo (container 81)");
  // An unreadable record has a key only.
  all[1].attachment.reset();
  CHECK(keysText("c0ffee2", all) == "demo c0ffee2 eth0");
  CHECK(keysText(veth, all) == "demo c0ffee2 eth0");
}

TEST_CASE("ponsctl show: default routes are first, and addresses that pons has not given are marked") {
  const std::string text = shownAs({broken()}, kWide);
  CHECK_MESSAGE(contains(text, "\nDNS             10.42.0.1, fd42::1\n"), text);
  CHECK_MESSAGE(contains(text,
                         "\n10.42.0.7/24, 10.42.0.254/24 (not of pons: the spoof guard drops its packets), fd42::7/64, "
                         "fe80::858:aff:fe2a:7/64\n"),
                text);
  CHECK(text.find("\n::/0 ") < text.find("\nfe80::/64 "));
  Shown open = broken();
  open.status.attachment->guard = pons::SpoofGuard::None;
  CHECK(contains(shownAs({open}, kWide), "10.42.0.254/24 (not of pons), "));
}

TEST_CASE("On a host: ponsctl show finds a container by what it has, and prints traffic and rules") {
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
    CHECK_MESSAGE(shown.out.find("allowed sources") == shown.out.rfind("allowed sources"), shown.out);
    const auto document = jsonOf(tool({"show", "c0ffee1", "--json"}));
    const auto links = document["attachments"].items().at(0)["links"].items();
    REQUIRE(links.size() == 3);
    CHECK(textOf(links[0]["name"]) == "eth0");
    CHECK(links[0]["sentPackets"].integer().value_or(0) >= 3);
    CHECK(links[1]["receivedBytes"].integer().value_or(0) >= 3 * 48);
    CHECK(textOf(document["attachments"].items().at(0)["record"]["hostVeth"]) ==
          pons::hostVethName(keyOf("c0ffee1")).toString());
  }
  const std::string whole = tool({"show", "c0ffee1"}).out;
  for (const std::string& name : {address, std::string{"8080"}, std::string{"8080/tcp"},
                                  std::string{"/run/netns/c0ffee1"}, pons::hostVethName(keyOf("c0ffee1")).toString()}) {
    const std::string same = tool({"show", name}).out;
    CHECK_MESSAGE(same.substr(0, same.find('\n')) == whole.substr(0, whole.find('\n')), name << same);
  }
  // One namespace by other paths than the runtime's.
  shell(
      "ln -s /run/netns /run/spelled && mkdir /run/mounted && touch /run/mounted/x"
      " && mount --bind /run/netns/c0ffee1 /run/mounted/x");
  for (const std::string& path :
       {std::string{"/run/spelled/c0ffee1"}, std::string{"/run/mounted/x"}, std::string{"/run/../run/netns/c0ffee1"}}) {
    const std::string same = tool({"show", path}).out;
    CHECK_MESSAGE(same.substr(0, same.find('\n')) == whole.substr(0, whole.find('\n')), path << same);
  }
  // The same path, of another namespace now.
  shell("umount /run/mounted/x && mount --bind /run/netns/c0ffee2 /run/mounted/x");
  CHECK(contains(tool({"show", "/run/mounted/x"}).out, "c0ffee2"));
  CHECK(jsonOf(tool({"show", "demo", "--json"}))["attachments"].items().size() == 2);
  CHECK(contains(tool({"show", "c0ffee"}).err,
                 "ponsctl show: \"c0ffee\" is ambiguous: container c0ffee1, container c0ffee2"));
  CHECK(tool({"show", "c0ffee"}).exitCode == 1);
  CHECK(tool({"show", "x"}).exitCode == 1);
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
                            "bridge pons", "egress_sources"}) {
    CHECK_MESSAGE(contains(shown, words), shown);
  }
  CHECK(!contains(shown, "missing"));
  const auto document = jsonOf(tool({"show", "c1", "--json"}));
  CHECK(document["attachments"].items().at(0)["egressDenied"]["packets"].integer() == 3);
  shell("nft delete table bridge pons");
  CHECK(contains(tool({"show", "c1"}).out, "missing"));
}
