// ponsctl metrics: of sample metrics, and on a host.
#include "plugin/ctl/metrics.h"

#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

std::vector<Metric> samples() {
  return {
      {"pons_attachments", "gauge", "Recorded attachments.", {{{{"network", "a\\b\"c\nd\xff"}}, 3}}},
      {"pons_nothing", "gauge", "Has no samples."},
      {"pons_pool_addresses", "gauge", "Addresses.", {{{}, 18446744073709551616.0}}},
      {"pons_took_seconds",
       "histogram",
       "How long.",
       {{{{"le", "0.001"}}, 1, "_bucket"}, {{{"le", "+Inf"}}, 2, "_bucket"}, {{}, 0.0125, "_sum"}, {{}, 2, "_count"}}}};
}

bool hasLine(const Outcome& outcome, const std::string& line) {
  const bool has = contains("\n" + outcome.out, "\n" + line + "\n");
  if (!has) MESSAGE(outcome.out);
  return has;
}

/// Three datagrams to the discard port of that address, each from a socket of its own.
void sendThree(const std::string& netns, const std::string& address) {
  shell("for i in 1 2 3; do ip netns exec " + netns + " bash -c 'echo hello > /dev/udp/" + address + "/9'; done");
}

std::string policyLine(const std::string& key, int packets) {
  return "pons_policy_denied_packets_total{policy=\"" + key + "\",family=\"ipv4\"} " + std::to_string(packets);
}

}  // namespace

TEST_CASE("ponsctl metrics prints the Prometheus text format, or JSON") {
  CHECK(metricsText({}).empty());
  checkGolden("metrics.txt", metricsText(samples()));
  checkGolden("metrics.json", metricsJson(samples()));
}

TEST_CASE("On a host: ponsctl metrics counts calls by result, pool addresses, bridge ports and repairs") {
  REQUIRE_FAKE_HOST(host);
  CHECK(hasLine(tool({"metrics"}), R"(pons_verbs_total{verb="ADD",result="ok",code="0"} 0)"));
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/29"})"};
  for (const char* name : {"c1", "c2"}) demo.attach(host, name);
  CHECK(!call("ADD", demo.config(), subjectOf("c1")).ok());
  host.addNamespace("c3");
  CHECK(!call("ADD", demo.config(R"("mtu": "large")"), subjectOf("c3")).ok());
  CHECK(demo.del("c2").ok());
  shell("nft delete table ip pons && ip link set pons-demo down");
  CHECK(tool({"repair"}).ok());

  const Unchanged unchanged{host};
  const Outcome metrics = tool({"metrics"});
  CHECK(metrics.ok());
  for (const char* line : {
           R"(# TYPE pons_verbs_total counter)",
           R"(pons_verbs_total{verb="ADD",result="ok",code="0"} 2)",
           R"(pons_verbs_total{verb="ADD",result="error",code="100"} 1)",
           R"(pons_verbs_total{verb="ADD",result="error",code="7"} 1)",
           R"(pons_verbs_total{verb="DEL",result="ok",code="0"} 1)",
           R"(pons_verb_duration_seconds_bucket{verb="ADD",le="+Inf"} 4)",
           R"(pons_verb_duration_seconds_count{verb="ADD"} 4)",
           R"(pons_attachments{network="demo"} 1)",
           R"(pons_bridge_ports{network="demo",bridge="pons-demo"} 1)",
           R"(pons_pool_addresses{network="demo",pool="10.42.0.0/29"} 5)",
           R"(pons_pool_addresses_used{network="demo",pool="10.42.0.0/29"} 1)",
           R"(pons_repair_failures_total 0)",
       }) {
    CHECK(hasLine(metrics, line));
  }
  CHECK(!hasLine(metrics, "pons_repaired_total 0"));
  CHECK(jsonOf(tool({"metrics", "--json"}))["metrics"].items().size() > 20);
}

TEST_CASE("On a host: ponsctl metrics counts the records that it cannot read, and reports the others") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
  CHECK(hasLine(tool({"metrics"}), "pons_unreadable_records 0"));
  shell("echo noise > " + recordOf(demo, "c2"));
  const Outcome metrics = tool({"metrics"});
  CHECK(metrics.ok());
  CHECK_MESSAGE(contains(metrics.err, "ponsctl metrics: demo c2 eth0: "), metrics.err);
  CHECK(hasLine(metrics, "pons_unreadable_records 1"));
  CHECK(hasLine(metrics, R"(pons_attachments{network="demo"} 3)"));
}

TEST_CASE("On a host: ponsctl metrics counts the packets that an egress policy denied, per interface") {
  REQUIRE_FAKE_HOST(host);
  if (!std::filesystem::exists("/proc/sys/net/bridge")) return FakeHost::countSkip("needs br_netfilter");
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": {})"};
  demo.attach(host, "c1");
  shell("ip netns exec c1 bash -c 'for i in 1 2 3; do echo hello > /dev/udp/10.42.0.1/9; done'");
  CHECK(hasLine(tool({"metrics"}),
                R"(pons_egress_denied_packets_total{network="demo",container="c1",interface="eth0",family="ipv4"} 3)"));
}

TEST_CASE("On a host: ponsctl metrics counts the packets from clients that allowFrom does not list, by family") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  demo.attach(host, "c1", publishing({{8081, 81}}));
  CHECK(!contains(tool({"metrics"}).out, "pons_published_rejected"));
  demo.attach(host, "c2",
              R"("runtimeConfig": {"portMappings": [)"
              R"({"hostPort": 8080, "containerPort": 80, "protocol": "udp", "allowFrom": ["10.0.0.0/8"]}]})");
  for (const char* family : {"ipv4", "ipv6"}) {
    CHECK(
        hasLine(tool({"metrics"}), "pons_published_rejected_packets_total{family=\"" + std::string{family} + "\"} 0"));
  }
  shell("for i in 1 2 3; do ip netns exec outside bash -c 'echo hello > /dev/udp/192.0.2.1/8080'; done");
  shell("ip netns exec outside bash -c 'echo hello > /dev/udp/2001:db8:1::1/8080'");
  CHECK(hasLine(tool({"metrics"}), R"(pons_published_rejected_packets_total{family="ipv4"} 3)"));
  CHECK(hasLine(tool({"metrics"}), R"(pons_published_rejected_packets_total{family="ipv6"} 1)"));
}

TEST_CASE("On a host: ponsctl metrics counts interfaces by health, every health of every network") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  const auto count = [](const std::string& health, int number) {
    return hasLine(tool({"metrics"}),
                   "pons_attachment_health{network=\"demo\",health=\"" + health + "\"} " + std::to_string(number));
  };
  for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
  CHECK(count("ok", 3));
  for (const char* none : {"broken", "gone", "unreadable", "add-interrupted"}) CHECK(count(none, 0));
  shell("ip link set pons-demo down");
  CHECK(count("broken", 3));
  CHECK(repair().ok());
  host.endNamespace("/run/netns/c2");
  CHECK(count("ok", 2));
  CHECK(count("gone", 1));
  shell("echo noise > " + recordOf(demo, "c3"));
  CHECK(count("ok", 1));
  CHECK(count("unreadable", 1));
}

TEST_CASE("On a host: ponsctl metrics counts an interface of a chain once, with the first bad health") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  Chain chain{{{"pons", R"("ipam": {"subnet": "10.42.0.0/24"})"}, {"tuning", R"("mtu": 1400)"}}};
  chain.add();
  CHECK(hasLine(tool({"metrics"}), R"(pons_attachment_health{network="demo",health="ok"} 1)"));
  shell("ip -n c1 link set eth0 mtu 1300");
  const Outcome metrics = tool({"metrics"});
  CHECK(hasLine(metrics, R"(pons_attachment_health{network="demo",health="ok"} 0)"));
  CHECK(hasLine(metrics, R"(pons_attachment_health{network="demo",health="broken"} 1)"));
}

TEST_CASE("On a host: ponsctl metrics has the findings of the doctor, and the version") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1");
  const std::string off = R"(pons_doctor_findings{finding="ip-forwarding-off",verdict="fault"})";
  CHECK(!contains(tool({"metrics"}).out, off));
  shell("echo 0 > /proc/sys/net/ipv4/ip_forward");
  const Outcome found = tool({"metrics"});
  CHECK(hasLine(found, off + " 1"));
  CHECK(hasLine(found, R"(pons_doctor_findings{finding="attachment-incomplete",verdict="fault"} 1)"));
  CHECK(repair().ok());
  const Outcome repaired = tool({"metrics"});
  CHECK(!contains(repaired.out, "verdict=\"fault\""));
  CHECK(hasLine(repaired,
                "pons_build_info{version=\"" + textOf(jsonOf(tool({"version", "--json"}))["version"]) + "\"} 1"));
}

TEST_CASE("On a host: ponsctl metrics counts the frames that the spoof guard dropped, by reason") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  CHECK(!contains(tool({"metrics"}).out, "pons_spoofed_frames_total"));
  const std::string own = demo.attach(host, "c1");
  const std::string other = own == "10.42.0.200" ? "10.42.0.201" : "10.42.0.200";
  sendThree("c1", "10.42.0.1");  // resolves the gateway
  for (const char* reason : {"mac", "arp", "ipv4", "ethertype"}) {
    CHECK(hasLine(tool({"metrics"}), "pons_spoofed_frames_total{reason=\"" + std::string{reason} + "\"} 0"));
  }
  shell("ip -n c1 address add " + other + "/24 dev eth0 noprefixroute");
  shell("for i in 1 2 3; do echo hello | ip netns exec c1 socat -u - UDP4-SENDTO:10.42.0.1:9,bind=" + other + "; done");
  CHECK(hasLine(tool({"metrics"}), R"(pons_spoofed_frames_total{reason="ipv4"} 3)"));
}

TEST_CASE("On a host: ponsctl metrics counts the packets that the policies of bridges denied, by key") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  const auto network = [](const std::string& name, const std::string& key, int subnet) {
    return Network{name, key + R"(, "ipam": {"subnet": "10.42.)" + std::to_string(subnet) + R"(.0/24"})"};
  };
  Network plain = network("plain", R"("ipMasq": false)", 1);
  plain.attach(host, "c1");
  CHECK(!contains(tool({"metrics"}).out, "pons_policy_denied"));
  Network closed = network("closed", R"("publishedOnly": true)", 2);
  const std::string published = closed.attach(host, "c2", publishing({{8080, 80}}));
  shell("ip -n outside route add 10.42.0.0/16 via 192.0.2.1");
  for (const char* key : {"publishedOnly", "internal", "ingressPolicy"})
    CHECK(hasLine(tool({"metrics"}), policyLine(key, 0)));
  sendThree("outside", published);
  CHECK(hasLine(tool({"metrics"}), policyLine("publishedOnly", 3)));
  Network inner = network("inner", R"("internal": true)", 3);
  sendThree("outside", inner.attach(host, "c3"));
  CHECK(hasLine(tool({"metrics"}), policyLine("internal", 3)));
  Network one = network("one", R"("ingressPolicy": "same-bridge")", 4);
  Network two = network("two", R"("ingressPolicy": "same-bridge")", 5);
  one.attach(host, "c4");
  sendThree("c4", two.attach(host, "c5"));
  const Outcome metrics = tool({"metrics"});
  CHECK(hasLine(metrics, policyLine("ingressPolicy", 3)));
  CHECK(hasLine(metrics, policyLine("publishedOnly", 3)));
  CHECK(hasLine(metrics, policyLine("internal", 3)));
}

TEST_CASE("On a host: concurrent calls are all counted, and a damaged counter file does not prevent an ADD") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1");
  shell("for i in $(seq 40); do echo '{' | CNI_COMMAND=ADD CNI_CONTAINERID=x CNI_IFNAME=eth0 CNI_NETNS=/x " PONS_BINARY
        " >/dev/null 2>&1 & done; wait");
  CHECK(hasLine(tool({"metrics"}), R"(pons_verbs_total{verb="ADD",result="error",code="6"} 40)"));
  std::ofstream{"/run/pons/counters.1", std::ios::trunc} << "short";
  demo.attach(host, "c2");
  const Outcome refused = tool({"metrics"});
  CHECK(!refused.ok());
  CHECK(contains(refused.err, "/run/pons/counters.1 does not have 4096 bytes: remove it"));
}
