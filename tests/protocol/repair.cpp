// Repair: deleted kernel objects are restored, by `ponsctl repair` and by the next ADD.
#include <list>
#include <regex>
#include <sstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "plugin/engine/transaction.h"

#include "tests/protocol/network.h"
#include "tests/support/eventually.h"
#include "tests/support/runtime.h"
#include "tests/support/traffic.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

/// Three networks, one of them dual-stack, with three containers each, which publish their port 80.
struct ThreeNetworks {
  FakeHost host;
  std::string outside = host.addOutside();
  std::vector<Network> networks{{"demo", kDual},
                                {"second", R"("ipam": {"subnet": "10.43.0.0/24"}, "egressPolicy":
                                              {"allowedCidrs": ["192.0.2.0/24"], "allowedTcpPorts": [443]})"},
                                {"third", R"("ipMasqExclude": ["10.0.0.0/8"], "ipam": {"subnet": "10.44.0.0/24"},
                                              "ingressPolicy": "same-bridge",
                                              "bandwidth": {"ingressRate": 100000000, "egressRate": 100000000})"}};
  std::list<Server> servers;
  std::map<std::string, int> ports;  // the host's, by container

  ThreeNetworks() {
    int port = 8000;
    for (Network& network : networks) {
      for (const char* number : {"1", "2", "3"}) attach(network, network.name() + number, ++port);
    }
  }
  void attach(Network& network, const std::string& container, int port) {
    const std::string address = network.attach(host, container, publishing({{port, 80}}));
    ports[container] = port;
    servers.emplace_back("/run/netns/" + container, Transport::Tcp, endpoint(address, 80), container);
  }

  /// Every published port leads to its container from outside, from the host and from its own loopback, and every
  /// container reaches the outside with the host's address.
  void checkTraffic() const {
    const Server web{outside, Transport::Tcp, endpoint("192.0.2.2", 443), "web"};
    for (const auto& [container, port] : ports) {
      CAPTURE(container);
      const auto hostPort = static_cast<std::uint16_t>(port);
      CHECK(ask(outside, Transport::Tcp, endpoint("192.0.2.1", hostPort)) == container + " 192.0.2.2");
      CHECK(ask(kHere, Transport::Tcp, endpoint("192.0.2.1", hostPort)) == container + " 192.0.2.1");
      CHECK(ask(kHere, Transport::Tcp, endpoint("127.0.0.1", hostPort)).has_value());
      CHECK(ask("/run/netns/" + container, Transport::Tcp, endpoint("192.0.2.2", 443)) == "web 192.0.2.1");
    }
  }
  void checkAll() const {
    for (const Network& network : networks) network.checkAll();
    checkTraffic();
  }
};

const std::vector<std::string>& damages() {
  static const auto each = [](const std::string& which, const std::string& command) {
    return "for l in $(ip -br link show " + which + " | cut -d' ' -f1 | cut -d@ -f1); do " + command + "; done";
  };
  static const std::vector<std::string> all{
      "nft flush ruleset",
      "nft delete table ip pons",
      "nft flush map ip pons forwards_any",
      "nft delete table bridge pons",
      "nft 'flush set bridge pons macs; flush map ip pons sources; flush set ip pons bridges; "
      "flush set ip pons egress_sources'",
      // As many as before, but others.
      R"(for f in ip ip6 bridge; do nft -a list table $f pons | awk '/^\tchain/ {c = $2} /^\t\t.*# handle/ {print c, $NF}' |)"
      R"( while read c h; do nft replace rule $f pons $c handle $h accept; done; done)",
      "nft 'delete element ip pons forwards_any { tcp . 8001 }; "
      "add element ip pons forwards_any { tcp . 8001 : 10.42.0.250 . 80 }'",
      "ip addr flush dev pons-demo scope global",
      "ip link set pons-demo down",
      "ip link del pons-demo",
      "for b in demo second third; do ip link del pons-$b; done; nft flush ruleset",
      "echo 0 > /proc/sys/net/ipv4/ip_forward",
      "echo 0 > /proc/sys/net/ipv6/conf/all/forwarding",
      "echo 0 > /proc/sys/net/ipv4/conf/pons-second/route_localnet",
      each("master pons-demo", "ip link set $l nomaster"),
      each("master pons-demo", "ip link set $l down"),
      each("master pons-demo", "ip link set $l type bridge_slave isolated on hairpin off"),
      each("master pons-demo", "ip link set $l group 0"),
      each("master pons-third", "tc qdisc del dev $l root"),
      each("type ifb", "ip link del $l"),
  };
  return all;
}

/// What `nft monitor` says while it lives.
class Monitor {
 public:
  Monitor() : process_([] { return listen(); }) {
    // Only once it listens it misses nothing.
    REQUIRE(support::eventually([] {
      shell("nft add table ip probe && nft delete table ip probe");
      return !text().empty();
    }));
  }
  /// How many transactions changed this family's table "pons".
  int transactionsOf(const std::string& family) {
    // Events arrive in order: with that of this table, all earlier ones are here.
    const std::string marker = "table ip marker" + std::to_string(++markers_);
    shell("nft add " + marker + " && nft delete " + marker);
    REQUIRE(support::eventually([&] { return text().find("delete " + marker) != std::string::npos; }));
    std::istringstream lines{text()};
    int count = 0;
    bool touched = false;
    for (std::string line; std::getline(lines, line);) {
      touched |= line.find(" " + family + " pons") != std::string::npos;
      if (line.find("new generation") == std::string::npos) continue;
      count += touched ? 1 : 0;
      touched = false;
    }
    return count;
  }

 private:
  static constexpr const char* kFile = "/run/nft-monitor";

  static int listen() {
    const int file = open(kFile, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    dup2(file, STDOUT_FILENO);
    execlp("stdbuf", "stdbuf", "-oL", "nft", "monitor", nullptr);
    return 127;
  }
  static std::string text() {
    std::string text = outputOf({"sh", "-c", std::string{"cat "} + kFile + " 2>/dev/null || true"});
    return text;
  }

  int markers_ = 0;
  ForkedProcess process_;
};

}  // namespace

TEST_CASE("ponsctl repair restores everything on record, and --dry-run only reports what is missing") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ThreeNetworks setup;
  setup.checkAll();
  CHECK(repair({"--dry-run"}).out.ends_with(", no faults\n"));
  const std::string sound = setup.host.dump() + ledgerText();
  for (const std::string& damage : damages()) {
    CAPTURE(damage);
    shell(damage);
    {
      const Unchanged unchanged{setup.host};
      const Outcome looked = repair({"--dry-run"});
      CHECK(looked.exitCode == 1);
      CHECK_MESSAGE(looked.out.find(" faults.\n") != std::string::npos, looked.out);
      CHECK(looked.err.empty());
    }
    const Outcome repaired = repair();
    CHECK_MESSAGE(repaired.exitCode == 0, repaired.out << repaired.err);
    CHECK_MESSAGE(repaired.out.starts_with("restored: "), repaired.out);
    CHECK(repaired.out.find("not restored: ") == std::string::npos);
    CHECK(repair({"--dry-run"}).out.ends_with(", no faults\n"));
    setup.checkAll();
  }
  for (const Network& network : setup.networks) checkSilent(network.gcAllBut({}));
  CHECK(ledgerText().find("demo") == std::string::npos);
  CHECK(outputOf({"nft", "list", "ruleset"}).empty());
}

TEST_CASE("After a flushed ruleset the next ADD restores the rules of all attachments, in one transaction per family") {
  ThreeNetworks setup;
  Monitor monitor;
  shell("nft flush ruleset");
  const int before4 = monitor.transactionsOf("ip");
  const int before6 = monitor.transactionsOf("ip6");
  setup.attach(setup.networks.front(), "late", 8100);
  // One that rebuilds; then the new container's own.
  CHECK(monitor.transactionsOf("ip") - before4 <= 3);
  CHECK(monitor.transactionsOf("ip6") - before6 <= 3);
  CHECK(repair({"--dry-run"}).out.ends_with(", no faults\n"));
  setup.checkAll();
}

TEST_CASE("Repair replaces chains and sets that an older version named otherwise, in one transaction") {
  ThreeNetworks setup;
  const std::vector<std::pair<std::string, std::string>> renamed{
      {"martian_127", "guard"},     {"raw_prerouting", "arriving"}, {"raw_output", "leaving"},
      {"udp_zone", "afresh"},       {"spoof_guard", "arriving"},    {"policy_bridges", "limited"},
      {"same_bridge_ok", "within"}, {"internal_pairs", "confined"}, {"internal_bridges", "internal"}};
  std::string rules = outputOf({"nft", "list", "ruleset"});
  for (const auto& [now, before] : renamed) {
    CHECK_MESSAGE(rules.find(" " + now + " ") != std::string::npos, now);
    rules = std::regex_replace(rules, std::regex{"\\b" + now + "\\b"}, before);
  }
  const Outcome loaded = run({"nft", "-f", "-"}, {.environment = {}, .input = "flush ruleset\n" + rules});
  REQUIRE_MESSAGE(loaded.ok(), loaded.err);
  setup.checkTraffic();
  setup.attach(setup.networks.front(), "later", 8100);
  setup.checkTraffic();
  CHECK(repair({"--dry-run"}).exitCode == 1);

  Monitor monitor;
  const Outcome repaired = repair();
  CHECK_MESSAGE(repaired.ok(), repaired.out << repaired.err);
  for (const char* family : {"ip", "ip6", "bridge"}) CHECK(monitor.transactionsOf(family) == 1);
  rules = outputOf({"nft", "list", "ruleset"});
  for (const auto& [now, before] : renamed) {
    CHECK_MESSAGE(rules.find("chain " + before + " {") == std::string::npos, before);
    CHECK_MESSAGE(rules.find("set " + before + " {") == std::string::npos, before);
  }
  CHECK(repair({"--dry-run"}).ok());
  setup.checkAll();
  for (const Network& network : setup.networks) checkSilent(network.gcAllBut({}));
  CHECK(outputOf({"nft", "list", "ruleset"}).empty());
}

TEST_CASE("An attachment whose DEL has begun is not rebuilt") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kDual};
  demo.attach(host, "c1", publishing({{8081, 80}}));
  demo.attach(host, "c2", publishing({{8082, 80}}));
  shell("sed -i 's/\"committed\"}*$/\"leaving\"  /' " + recordOf(demo, "c1"));
  REQUIRE(outputOf({"cat", recordOf(demo, "c1")}).find("leaving") != std::string::npos);
  demo.forget("c1");
  shell("nft flush ruleset");
  const Outcome repaired = repair();
  CHECK_MESSAGE(repaired.ok(), repaired.out);
  const std::string rules = outputOf({"nft", "list", "ruleset"});
  CHECK(rules.find("8081") == std::string::npos);
  CHECK(rules.find("8082") != std::string::npos);
  demo.checkAll();
  checkSilent(demo.del("c1"));
  checkSilent(demo.del("c2"));
  CHECK(outputOf({"nft", "list", "ruleset"}).empty());
}

TEST_CASE("ponsctl repair continues after a fault that it cannot repair, reports it and exits 1") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kDual};
  Network second{"second", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  for (const char* name : {"a", "b", "c", "d"}) demo.attach(host, name);
  second.attach(host, "s1", publishing({{8081, 80}}));
  shell("sed -i 's/\"format\": 1/\"format\": 2/' " + recordOf(demo, "a"));
  shell("echo noise > " + recordOf(demo, "b"));
  host.removeNamespace("/run/netns/c");
  shell("ip -n d link del eth0; nft flush ruleset; ip addr del 10.43.0.1/24 dev pons-second");
  const Outcome repaired = repair();
  CHECK(repaired.exitCode == 1);
  for (const std::string who : {"a", "b", "c", "d"}) {
    CHECK_MESSAGE(repaired.out.find("not restored: container " + who + ", eth0 in network demo: ") != std::string::npos,
                  repaired.out);
  }
  second.checkAll();
}

TEST_CASE("ponsctl repair never plugs a container into another network's bridge") {
  REQUIRE_FAKE_HOST(host);
  Network alpha{"alpha", kDual};
  Network beta{"beta", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  alpha.attach(host, "a1");
  beta.attach(host, "b1");
  shell("ip link del pons-beta && ip link add pons-beta type veth peer name peer");
  const std::string before = outputOf({"ip", "-br", "link", "show", "master", "pons-alpha"}) +
                             outputOf({"ip", "-br", "addr", "show", "dev", "pons-alpha"});
  const Outcome repaired = repair();
  CHECK(repaired.exitCode == 1);
  CHECK_MESSAGE(repaired.out.find("kind of link pons-beta is veth, expected bridge") != std::string::npos,
                repaired.out);
  CHECK(outputOf({"ip", "-br", "link", "show", "master", "pons-alpha"}) +
            outputOf({"ip", "-br", "addr", "show", "dev", "pons-alpha"}) ==
        before);
  alpha.checkAll();
}
