// CHECK of a damaged attachment: code 101, and the message names what does not hold.
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
      {"ip -n c1 link set eth0 down", {"eth0 is down"}},
      {"ip -n c1 addr del 10.42.0.7/24 dev eth0", {"10.42.0.7/24", "eth0"}},
      {"ip -n c1 addr del fd00::7/64 dev eth0", {"fd00::7/64", "eth0"}},
      {"ip -n c1 route del 10.99.0.0/16", {"10.99.0.0/16"}},
      {"ip -n c1 route del default", {"0.0.0.0/0"}},
      {"ip link set pons0 down", {"bridge pons0 is down"}},
      {"ip link del pons0", {"pons0", "gone"}},
      {"ip link set $(ip -br link show master pons0 | cut -d@ -f1) nomaster", {"pons0"}},
      {"ip addr del 10.42.0.1/24 dev pons0", {"gateway address 10.42.0.1/24", "pons0"}},
      {"ip addr del fd00::1/64 dev pons0", {"gateway address fd00::1/64", "pons0"}},
      {"echo 0 > /proc/sys/net/ipv4/ip_forward", {"IPv4 forwarding"}},
      {"echo 0 > /proc/sys/net/ipv6/conf/all/forwarding", {"IPv6 forwarding"}},
      {"nft flush ruleset", {"table"}},
      {"nft delete table ip6 pons", {"table"}},
      {"nft delete table bridge pons", {"table bridge pons"}},
      {"nft flush chain bridge pons by_address", {"by_address"}},
      {"nft flush set bridge pons addresses4", {"spoof guard", "addresses4"}},
      {"nft flush chain ip pons postrouting", {"postrouting"}},
      {"nft flush map ip pons sources", {"source NAT of subnet 10.42.0.0/24", "sources"}},
      {"nft delete rule ip pons subnet_10.42.0.0/24 handle $(nft -a list chain ip pons subnet_10.42.0.0/24 |"
       " sed -n 's/.*jump.*handle //p')",
       {"masquerade of network demo", "does not jump"}},
      {"set=$(nft list sets ip | grep -o ' net_[0-9a-f]*'); nft flush set ip pons $set", {"masquerade", "missing"}},
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

TEST_CASE("CHECK allows what later plugins change: MAC, MTU, and the table of a route") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Outcome attached = add(kNetwork, kSubject);
  resultOf(attached);
  outputOf({"ip", "-n", "c1", "link", "set", "eth0", "address", "02:00:00:00:00:99"});
  outputOf({"ip", "-n", "c1", "link", "set", "eth0", "mtu", "1400"});
  outputOf({"ip", "-n", "c1", "route", "del", "default"});
  outputOf({"ip", "-n", "c1", "route", "add", "default", "via", "10.42.0.1", "table", "100"});
  checkSilent(check(withPrevious(kNetwork, attached.out), kSubject));
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
             {"lacks address 10.42.0.7/24"});
  checkError(check(withPrevious(network, R"({"interfaces": [{"name": "eth1", "sandbox": "/x"}]})")),
             ErrorCode::CheckFailed, {"has no interface eth0"});
  checkError(check(withResult, {.netns = "/run/netns/other"}), ErrorCode::CheckFailed,
             {"/run/netns/other", "different network namespace"});
  checkError(check(withResult, {.netns = "/run/netns/gone"}), ErrorCode::CheckFailed, {"/run/netns/gone"});
}
