// CHECK of a damaged attachment: code 101, and the message names what does not hold.
#include <map>
#include <regex>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::config;
using pons::test::configWithIpam;

namespace {

const std::string kNetwork = config(
    R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00::/64"}]],
                "routes": [{"dst": "10.99.0.0/16"}, {"dst": "0.0.0.0/0"}, {"dst": "::/0"}]},
       "runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})");

const Subject kSubject{.args = "IP=10.42.0.7,fd00::7"};

struct Damage {
  std::string command;
  std::vector<std::string> words;
};

const std::vector<Damage>& damages() {
  static const std::vector<Damage> all = {
      {"ip -n c1 link del eth0", {"eth0"}},
      {"ip -n c1 link set eth0 down", {"interface eth0 of the container is down, expected up"}},
      {"ip -n c1 addr del 10.42.0.7/24 dev eth0", {"10.42.0.7/24", "eth0"}},
      {"ip -n c1 addr del fd00::7/64 dev eth0", {"fd00::7/64", "eth0"}},
      {"ip -n c1 route del 10.99.0.0/16", {"10.99.0.0/16"}},
      {"ip -n c1 route del default", {"0.0.0.0/0"}},
      {"ip link set pons0 down", {"bridge pons0 is down"}},
      {"ip link del pons0", {"bridge pons0 is missing"}},
      {"ip link set $(ip -br link show master pons0 | cut -d@ -f1) nomaster", {"pons0"}},
      {"ip addr del 10.42.0.1/24 dev pons0", {"gateway address 10.42.0.1/24", "pons0"}},
      {"ip addr del fd00::1/64 dev pons0", {"gateway address fd00::1/64", "pons0"}},
      {"echo 0 > /proc/sys/net/ipv4/ip_forward", {"net/ipv4/ip_forward is 0, expected 1"}},
      {"echo 0 > /proc/sys/net/ipv6/conf/all/forwarding", {"net/ipv6/conf/all/forwarding is 0, expected 1"}},
      {"nft flush ruleset", {"table"}},
      {"nft delete table ip6 pons", {"table"}},
      {"nft delete table bridge pons", {"table bridge pons"}},
      {"nft flush chain bridge pons by_address", {"by_address"}},
      {"nft flush set bridge pons senders4", {"senders4"}},
      {"nft flush chain ip pons postrouting", {"postrouting"}},
      {"nft flush map ip pons sources", {"10.42.0.0/24", "sources"}},
      {"nft delete rule ip pons subnet_10.42.0.0/24 handle $(nft -a list chain ip pons subnet_10.42.0.0/24 |"
       " sed -n 's/.*jump.*handle //p')",
       {"subnet_10.42.0.0/24"}},
      {"set=$(nft list sets ip | grep -o ' net_[0-9a-f]*'); nft flush set ip pons $set", {"net_"}},
      {"nft flush map ip pons forwards_any", {"0.0.0.0 port 8080/tcp"}},
      {"nft flush map ip6 pons forwards_any", {":: port 8080/tcp"}},
  };
  return all;
}

}  // namespace

TEST_CASE("CHECK names the invariant that is broken, for each kind of damage, and repairs nothing") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Damage& damage : damages()) {
    CAPTURE(damage.command);
    FakeHost host;
    host.addNamespace("c1");
    const Outcome attached = add(kNetwork, kSubject);
    resultOf(attached);
    const std::string withResult = withPrevious(kNetwork, attached.out);
    checkSilent(check(withResult, kSubject));
    outputOf({"sh", "-c", damage.command});
    const Unchanged unchanged{host};
    checkError(check(withResult, kSubject), ErrorCode::CheckFailed, damage.words);
  }
}

TEST_CASE("DEL leaves nothing behind after each kind of damage") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Damage& damage : damages()) {
    CAPTURE(damage.command);
    FakeHost host;
    host.addNamespace("c1");
    resultOf(add(kNetwork, kSubject));
    outputOf({"sh", "-c", damage.command});
    checkSilent(del(kNetwork, kSubject));
    CHECK(ledgerText().empty());
    CHECK(outputOf({"nft", "list", "ruleset"}).find("pons") == std::string::npos);
    CHECK(outputOf({"ip", "-o", "link"}).find("pons") == std::string::npos);
  }
}

TEST_CASE("CHECK changes nothing on a sound attachment") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Outcome attached = add(kNetwork, kSubject);
  resultOf(attached);
  const Unchanged unchanged{host};
  for (int i = 0; i < 3; ++i) checkSilent(check(withPrevious(kNetwork, attached.out), kSubject));
}

TEST_CASE("CHECK compares the interface and the routes with prevResult, of each container") {
  REQUIRE_FAKE_HOST(host);
  const std::string network = config(R"("macspoofchk": false, "ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}],
      [{"subnet": "fd00::/64"}]], "routes": [{"dst": "10.99.0.0/16"}, {"dst": "0.0.0.0/0"}, {"dst": "::/0"}]})");
  const std::vector<Damage> changes{
      {"link set eth0 address 02:00:00:00:00:99", {"MAC of eth0 is 02:00:00:00:00:99, expected "}},
      {"link set eth0 mtu 9000", {"MTU of eth0 is 9000, expected 1500"}},
      {"route replace default via 10.42.0.200",
       {"route to 0.0.0.0/0", "through 10.42.0.200, expected through 10.42.0.1"}},
      {"-6 route replace default via fd00::200", {"route to ::/0", "through fd00::200, expected through fd00::1"}},
      {"route replace 10.99.0.0/16 dev eth0", {"10.99.0.0/16", "without a gateway, expected through 10.42.0.1"}},
  };
  std::map<std::string, std::string> results;
  for (const Damage& change : changes) {
    CAPTURE(change.command);
    for (const std::string name : {"c1", "c2"}) {
      const Subject subject{.container = name, .netns = "/run/netns/" + name};
      host.addNamespace(name);
      results[name] = add(network, subject).out;
      checkSilent(check(withPrevious(network, results[name]), subject));
    }
    const Subject second{.container = "c2", .netns = "/run/netns/c2"};
    outputOf({"sh", "-c", "ip -n c2 " + change.command});
    std::vector<std::string> words = change.words;
    words.emplace_back("restart the container");
    checkSilent(check(withPrevious(network, results["c1"])));
    checkError(check(withPrevious(network, results["c2"]), second), ErrorCode::CheckFailed, words);
    for (const std::string name : {"c1", "c2"}) {
      checkSilent(del(network, {.container = name, .netns = "/run/netns/" + name}));
      host.removeNamespace("/run/netns/" + name);
    }
  }
}

TEST_CASE("CHECK allows what later plugins of the chain change") {
  const std::string network = config(R"("macspoofchk": false, "ipam": {"subnet": "10.42.0.0/24",
      "routes": [{"dst": "10.99.0.0/16"}, {"dst": "0.0.0.0/0", "gw": "10.42.0.1"}]})");
  struct Change {
    std::string command;
    std::string said, instead;  ///< in prevResult: what stands there, and what the later plugin says
  };
  const std::vector<Change> changes{
      {"link set eth0 address 02:00:00:00:00:99", "0a:58:0a:2a:00:07", "02:00:00:00:00:99"},
      {"link set eth0 mtu 1400", "", ""},  // the reference's tuning does not say it
      {"link set eth0 mtu 9000", "\"mtu\": 1500", "\"mtu\": 9000"},
      {"route del 10.99.0.0/16", "10\\.99\\.0\\.0/16", "10.98.0.0/16"},  // route-override
      {"route replace default via 10.42.0.200", "\"gw\": \"10\\.42\\.0\\.1\"", "\"gw\": \"10.42.0.200\""},
      {"route del default; ip -n c1 route add default via 10.42.0.1 dev eth0 table 100", "", ""},  // sbr
      {"route del default; ip -n c1 route add default via 10.42.0.1 dev eth0 metric 500", "", ""},
      {"route append default via 10.42.0.200 dev eth0 metric 50", "", ""},
  };
  for (const Change& change : changes) {
    CAPTURE(change.command);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const Subject subject{.args = "IP=10.42.0.7"};
    const std::string before = add(network, subject).out;
    const std::string result =
        change.said.empty() ? before : std::regex_replace(before, std::regex{change.said}, change.instead);
    CHECK((change.said.empty() || result != before));
    outputOf({"sh", "-c", "ip -n c1 " + change.command});
    checkSilent(check(withPrevious(network, result), subject));
  }
}

TEST_CASE("CHECK of a container in two networks with the same destinations, in both orders, and after one has left") {
  for (const bool backwards : {false, true}) {
    CAPTURE(backwards);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const auto networkOf = [](const std::string& number) {
      return R"({"cniVersion": "1.1.0", "name": "net)" + number + R"(", "type": "pons", "bridge": "pons)" + number +
             R"(", "ipam": {"ranges": [[{"subnet": "10.4)" + number + R"(.0.0/24"}], [{"subnet": "fd0)" + number +
             R"(::/64"}]], "routes": [{"dst": "10.99.0.0/16"}, {"dst": "0.0.0.0/0"}, {"dst": "::/0"}]}})";
    };
    const auto subjectOf = [](const std::string& number) { return Subject{.ifName = "eth" + number}; };
    std::map<std::string, std::string> results;
    for (const std::string number : {"1", "2", "3"}) results[number] = add(networkOf(number), subjectOf(number)).out;
    while (!results.empty()) {
      for (const auto& [number, result] : results) {
        checkSilent(check(withPrevious(networkOf(number), result), subjectOf(number)));
      }
      const std::string leaves = backwards ? results.rbegin()->first : results.begin()->first;
      checkSilent(del(networkOf(leaves), subjectOf(leaves)));
      results.erase(leaves);
    }
  }
}

TEST_CASE("CHECK has no false alarm with older versions, a link that stays down, and without addresses") {
  const std::string ipam = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00::/64"}]]})";
  const std::vector<std::pair<std::string, std::string>> networks{
      {"0.4.0", ipam},
      {"1.0.0", ipam},
      {"1.1.0", ipam},
      {"1.1.0", ipam + R"(, "mtu": 1400)"},
      {"1.0.0", ipam + R"(, "mtu": 1400, "isDefaultGateway": true)"},
      {"1.1.0", R"("ipam": {})"},
      {"1.1.0", R"("ipam": {}, "disableContainerInterface": true)"},
      {"1.1.0", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}]], "routes": [{"dst": "10.42.0.0/24"},
                    {"dst": "10.99.0.0/16"}, {"dst": "10.99.0.0/16", "gw": "10.42.0.9", "priority": 50}]})"}};
  for (const auto& [version, members] : networks) {
    CAPTURE(version);
    CAPTURE(members);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const std::string network = configOf(version, members);
    const Outcome attached = add(network);
    resultOf(attached);
    checkSilent(check(withPrevious(network, attached.out)));
  }
}

TEST_CASE("CHECK compares with the previous result and the namespace") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  host.addNamespace("other");
  const std::string network = configWithIpam("");
  checkError(check(withPrevious(network, "{}")), ErrorCode::CheckFailed, {"demo c1 eth0", "not attached"});
  const Outcome attached = add(network, {.args = "IP=10.42.0.7"});
  resultOf(attached);
  const std::string withResult = withPrevious(network, attached.out);
  const Unchanged unchanged{host};
  checkError(check(network), ErrorCode::InvalidConfig, {"prevResult"});
  checkError(check(withPrevious(network, R"({"ips": [{"address": "10.42.0.8/24"}]})")), ErrorCode::CheckFailed,
             {"address 10.42.0.7/24 in prevResult is missing", "restart the container"});
  checkError(check(withPrevious(network, R"({"interfaces": [{"name": "eth1", "sandbox": "/x"}]})")),
             ErrorCode::CheckFailed, {"interface eth0 in prevResult is missing"});
  checkError(check(withResult, {.netns = "/run/netns/other"}), ErrorCode::CheckFailed,
             {"/run/netns/other", "different network namespace"});
  checkError(check(withResult, {.netns = "/run/netns/gone"}), ErrorCode::CheckFailed, {"/run/netns/gone"});
}
