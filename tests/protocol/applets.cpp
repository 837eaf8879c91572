// The program called by the names of the reference plugins: each is that plugin, and a chain of them is one attachment.
#include <doctest/doctest.h>

#include "plugin/json/json.h"

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const Link kBridge{"bridge", R"("isGateway": true, "ipMasq": true,
    "ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]],
             "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})"};
const Link kPortmap{"portmap",
                    R"("runtimeConfig": {"portMappings": [
                        {"HostPort": 8080, "ContainerPort": 80, "Protocol": "tcp", "HostIP": ""}]})"};
const Link kTuning{"tuning", R"("mtu": 1400, "mac": "02:00:00:00:00:07", "promisc": true, "txQLen": 77,
                                "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1", "net/core/somaxconn": "321"})"};

std::string outputOf(const std::string& line) { return support::outputOf({"sh", "-c", line}); }

}  // namespace

TEST_CASE("Each applet prints the versions of its reference plugin, and the version line that nerdctl parses") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const auto about = [](const std::string& name) {
    return run({"/run/plugins/" + name}, {.environment = std::vector<std::string>{}, .input = ""}).err;
  };
  CHECK(about("firewall") == "CNI firewall plugin v1.9.1\nCNI protocol versions supported: 0.4.0, 1.0.0, 1.1.0\n");
  CHECK(about("bridge") ==
        "CNI bridge plugin v1.9.1\nCNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n");
  CHECK(Plugins::call("bandwidth", "VERSION", "").out ==
        "{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}\n");
  checkError(Plugins::call("firewall", "ADD", R"({"cniVersion": "0.3.1", "name": "demo", "type": "firewall"})"),
             ErrorCode::IncompatibleVersion, {R"(["0.4.0" "1.0.0" "1.1.0"])"});
}

TEST_CASE("A chain of bridge, portmap and tuning is added, checked and removed without a trace") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Unchanged unchanged{host};
  Chain chain{{kBridge, kPortmap, kTuning}};
  const auto result = pons::json::Document::parse(chain.add());
  REQUIRE(result.ok());
  CHECK(textOf((*result)["interfaces"].items().at(0)["name"]) == "cni0");
  CHECK(textOf((*result)["interfaces"].items().at(2)["mac"]) == "02:00:00:00:00:07");
  CHECK((*result)["interfaces"].items().at(2)["mtu"].integer() == 1400);
  CHECK((*result)["ips"].items().size() == 2);
  CHECK(outputOf("nft list map ip pons forwards_any").find("tcp . 8080") != std::string::npos);
  CHECK(outputOf("nft list map ip6 pons forwards_any").find("tcp . 8080") != std::string::npos);
  const std::string link = outputOf("ip -n c1 link show eth0");
  for (const char* word : {"PROMISC", "mtu 1400", "qlen 77", "02:00:00:00:00:07"}) {
    CHECK_MESSAGE(link.find(word) != std::string::npos, link);
  }
  CHECK(outputOf("ip netns exec c1 cat /proc/sys/net/core/somaxconn") == "321\n");
  chain.check();
  chain.del();
}

TEST_CASE("Each plugin of a chain is attached once, and a second ADD names it") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  Chain chain{{kBridge, kPortmap}};
  const std::string result = chain.add();
  checkError(Plugins::call("portmap", "ADD", withPrevious(kPortmap.config(), result)), ErrorCode::AlreadyAttached,
             {"portmap", "call DEL first"});
  chain.check();
  chain.del();
}

TEST_CASE("The reference bridge's defaults: cni0, no gateway, no masquerade, no hairpin") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Unchanged unchanged{host};
  Chain chain{{{"bridge", R"("ipam": {"subnet": "10.42.0.0/24"})"}}};
  const auto result = pons::json::Document::parse(chain.add());
  REQUIRE(result.ok());
  CHECK(textOf((*result)["ips"].items().at(0)["gateway"]) == "10.42.0.1");
  CHECK(!(*result)["routes"].present());
  CHECK(outputOf("ip -4 -o addr show cni0").empty());
  CHECK(outputOf("cat /proc/sys/net/ipv4/ip_forward") == "0\n");
  CHECK(outputOf("nft list ruleset").empty());
  CHECK(outputOf("ip -d link show master cni0").find("hairpin off") != std::string::npos);
  chain.check();
  chain.del();
}

TEST_CASE("A chained plugin needs a previous result, and passes it on where it has nothing to do") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Unchanged unchanged{host};
  const Link idle{"portmap", R"("capabilities": {"portMappings": true})"};
  checkError(Plugins::call("portmap", "ADD", idle.config()), ErrorCode::InvalidConfig, {"portmap", "prevResult"});

  Chain alone{{kBridge}};
  const std::string previous = alone.add();
  const Outcome passed = Plugins::call("portmap", "ADD", withPrevious(idle.config(), previous));
  REQUIRE(passed.ok());
  CHECK(passed.out == previous);
  CHECK(ledgerText().find("portmap") == std::string::npos);
  checkSilent(Plugins::call("portmap", "CHECK", withPrevious(idle.config(), previous)));
  checkSilent(Plugins::call("portmap", "DEL", idle.config()));
  alone.del();
}

TEST_CASE("portmap options that need iptables are refused, and a host port has one owner") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("c2");
  const Plugins plugins;
  const Unchanged unchanged{host};
  Chain first{{kBridge, kPortmap}};
  first.add();
  const std::string previous = Plugins::call("bridge", "ADD", kBridge.config(), subjectOf("c2")).out;
  const auto portmap = [&](const std::string& member) {
    return Plugins::call("portmap", "ADD",
                         withPrevious(Link{"portmap", kPortmap.members + ", " + member}.config(), previous),
                         subjectOf("c2"));
  };
  checkError(portmap(R"("externalSetMarkChain": "KUBE-MARK-MASQ")"), ErrorCode::UnsupportedField, {"KUBE-MARK-MASQ"});
  checkError(portmap(R"("conditionsV4": ["-i", "eth0"])"), ErrorCode::UnsupportedField, {"conditionsV4"});
  checkError(portmap(R"("backend": "ipvs")"), ErrorCode::UnsupportedField, {"ipvs"});
  checkError(portmap(R"("markMasqBit": 13, "backend": "iptables")"), ErrorCode::InvalidConfig, {"8080", "c1"});
  checkSilent(Plugins::call("bridge", "DEL", kBridge.config(), subjectOf("c2")));
  first.del();
}

TEST_CASE("masqAll masquerades every use of the ports, snat false none") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Unchanged unchanged{host};
  const auto with = [](const std::string& member) { return Link{"portmap", kPortmap.members + ", " + member}; };
  {
    Chain chain{{kBridge, with(R"("masqAll": true)")}};
    const auto result = pons::json::Document::parse(chain.add());
    REQUIRE(result.ok());
    CHECK(outputOf("nft list set ip pons masqueraded").find(addressIn(*result)) != std::string::npos);
    chain.check();
    chain.del();
  }
  Chain chain{{kBridge, with(R"("snat": false)")}};
  chain.add();
  CHECK(outputOf("nft list set ip pons bridges").find("cni0") == std::string::npos);
  CHECK(outputOf("cat /proc/sys/net/ipv4/conf/cni0/route_localnet") == "0\n");
  chain.check();
  chain.del();
}

TEST_CASE("GC of one plugin of a chain removes only its own state") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Unchanged unchanged{host};
  Chain chain{{kBridge, kPortmap}};
  chain.add();
  const Subject none{.container = "", .netns = "", .ifName = ""};
  checkSilent(Plugins::call("portmap", "GC", withValid(kPortmap.config(), {"c1"}), none));
  chain.check();
  checkSilent(Plugins::call("portmap", "GC", withValid(kPortmap.config(), {}), none));
  CHECK(ledgerText().find(":portmap") == std::string::npos);
  CHECK(ledgerText().find("c1:eth0.json") != std::string::npos);
  checkSilent(Plugins::call("bridge", "GC", withValid(kBridge.config(), {}), none));
  CHECK(ledgerText().empty());
}

TEST_CASE("tuning gives back what it replaced, by DEL and after an ADD that failed in the middle") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  Chain alone{{kBridge}};
  const std::string previous = alone.add();
  const std::string state = "ip -n c1 -d link show eth0; ip netns exec c1 cat /proc/sys/net/core/somaxconn";
  const std::string before = outputOf(state);

  CHECK(Plugins::call("tuning", "ADD", withPrevious(kTuning.config(), previous)).ok());
  CHECK(outputOf(state) != before);
  checkSilent(Plugins::call("tuning", "DEL", kTuning.config()));
  CHECK(outputOf(state) == before);

  const Link hopeless{"tuning", R"("mtu": 67, "sysctl": {"net.core.somaxconn": "321"})"};
  checkError(Plugins::call("tuning", "ADD", withPrevious(hopeless.config(), previous)), ErrorCode::InvalidConfig,
             {"MTU"});
  CHECK(outputOf(state) == before);
  CHECK(ledgerText().find("tuning") == std::string::npos);
  alone.del();
}

TEST_CASE("tuning sets what is the network's alone, and what the host's list allows") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  Chain alone{{kBridge}};
  const std::string previous = alone.add();
  const auto tune = [&](const std::string& sysctl) {
    const Link link{"tuning", R"("sysctl": {")" + sysctl + R"(": "1"})"};
    const Outcome outcome = Plugins::call("tuning", "ADD", withPrevious(link.config(), previous));
    if (outcome.ok()) checkSilent(Plugins::call("tuning", "DEL", link.config()));
    return outcome;
  };
  for (const std::string sysctl : {"kernel.shmmax", "vm/swappiness", "net/../kernel/shmmax", "net.nothing.here"}) {
    CAPTURE(sysctl);
    CHECK(!tune(sysctl).ok());
  }
  CHECK(tune("net.ipv4.conf.eth0.arp_filter").ok());

  shell("mkdir -p /etc/cni/tuning && mount -t tmpfs none /etc/cni/tuning");
  shell("printf '^net\\\\.core\\\\.somaxconn$\\n' > /etc/cni/tuning/allowlist.conf");
  CHECK(tune("net.core.somaxconn").ok());
  checkError(tune("net.ipv4.conf.eth0.arp_filter"), ErrorCode::InvalidConfig, {"allowlist.conf"});
  alone.del();
}

TEST_CASE("loopback brings lo up and down, passes a previous result on, and does not mind a namespace that is gone") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Subject lo{.ifName = "lo"};
  const Link loopback{"loopback", ""};
  const Outcome attached = Plugins::call("loopback", "ADD", loopback.config(), lo);
  const auto result = resultOf(attached);
  CHECK(textOf(result["interfaces"].items().at(0)["name"]) == "lo");
  CHECK(addressIn(result) == "127.0.0.1");
  const std::string config = withPrevious(loopback.config(), attached.out);
  CHECK(Plugins::call("loopback", "ADD", config, lo).out == attached.out);
  checkSilent(Plugins::call("loopback", "CHECK", config, lo));
  checkSilent(Plugins::call("loopback", "DEL", loopback.config(), lo));
  CHECK(outputOf("ip -n c1 link show lo").find("UP") == std::string::npos);
  checkError(Plugins::call("loopback", "CHECK", config, lo), ErrorCode::CheckFailed, {"lo is down"});
  for (const std::string netns : {"", "/run/netns/gone"}) {
    checkSilent(Plugins::call("loopback", "DEL", loopback.config(), {.netns = netns, .ifName = "lo"}));
  }
}

TEST_CASE("tuning does not give a MAC address that the network's own guard would cut off") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Plugins plugins;
  const Link tuning{"tuning", R"("mac": "02:00:00:00:00:07")"};
  const auto addedAs = [](const std::string& members) {
    const Outcome added = add(configOf("1.1.0", R"("ipam": {"subnet": "10.42.0.0/24"})" + members));
    REQUIRE_MESSAGE(added.ok(), added.out);
    return added.out;
  };
  checkError(Plugins::call("tuning", "ADD", withPrevious(tuning.config(), addedAs(""))), ErrorCode::InvalidConfig,
             {"mac", "macspoofchk", "demo"});
  checkSilent(del(configOf("1.1.0", "")));
  CHECK(Plugins::call("tuning", "ADD", withPrevious(tuning.config(), addedAs(R"(, "macspoofchk": false)"))).ok());
  checkSilent(Plugins::call("tuning", "DEL", tuning.config()));
  checkSilent(del(configOf("1.1.0", "")));
}

TEST_CASE("macspoofchk of the reference bridge filters the source MAC, and is off by default") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Unchanged unchanged{host};
  const Plugins plugins;
  for (const bool asked : {true, false}) {
    const Link bridge{"bridge", R"("bridge": "cni0", "ipam": {"type": "host-local", "subnet": "10.42.0.0/24"})" +
                                    std::string{asked ? R"(, "macspoofchk": true)" : ""}};
    const Outcome added = Plugins::call("bridge", "ADD", bridge.config());
    REQUIRE_MESSAGE(added.ok(), added.out);
    CHECK(outputOf("nft list tables") == (asked ? "table bridge pons\n" : ""));
    checkSilent(Plugins::call("bridge", "CHECK", withPrevious(bridge.config(), added.out)));
    checkSilent(Plugins::call("bridge", "DEL", bridge.config()));
  }
  outputOf("rm -rf /var/lib/cni/networks/demo");
}
