// A container with several interfaces: in two networks, which share its published ports and its default routes, and
// twice in one network, where it answers by either port.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

constexpr std::uint16_t kHostPort = 8080;
const std::string kPorts =
    R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80},
                                           {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]})";

std::string inside(const std::string& command) { return outputOf({"sh", "-c", "ip -n c1 " + command}); }

/// One interface of the container, in a network of its own, natively or by a chain of the reference's names.
class Membership {
 public:
  Membership(bool chained, int number) : subject_{.ifName = "eth" + std::to_string(number)} {
    const std::string name = "net" + std::to_string(number);
    const std::string subnet = "10.4" + std::to_string(number) + ".0.0/24";
    gateway_ = "10.4" + std::to_string(number) + ".0.1";
    if (chained) {
      links_ = {
          {"bridge",
           R"("bridge": "br)" + std::to_string(number) + R"(", "isGateway": true, "ipMasq": true, "hairpinMode": true,
                 "ipam": {"type": "host-local", "dataDir": "/run/hl", "ranges": [[{"subnet": ")" +
               subnet + R"("}]],
                          "routes": [{"dst": "0.0.0.0/0"}]})",
           name},
          {"portmap", kPorts, name},
          {"firewall", "", name}};
    } else {
      links_ = {{"pons",
                 R"("bridge": "br)" + std::to_string(number) + R"(", "ipam": {"subnet": ")" + subnet + "\"}, " + kPorts,
                 name}};
    }
  }

  void add() {
    chain_.emplace(links_);
    chain_->add(subject_);
  }
  void check() const {
    if (chain_) chain_->check(subject_);
  }
  void del() {
    chain_->del(subject_);
    chain_.reset();
  }
  bool isThere() const { return chain_.has_value(); }
  const std::string& gateway() const { return gateway_; }

 private:
  std::vector<Link> links_;
  Subject subject_;
  std::string gateway_;
  std::optional<Chain> chain_;
};

/// What has to be true at every moment, whatever came and went before.
void checkAll(std::vector<Membership>& memberships, const std::string& outside) {
  const std::string routes = inside("route show default");
  bool any = false;
  for (const Membership& membership : memberships) {
    membership.check();
    any |= membership.isThere();
    CHECK((routes.find("via " + membership.gateway() + " ") != std::string::npos) == membership.isThere());
  }
  const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{any ? 3000 : 200}};
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    CHECK(ask(outside, transport, endpoint("192.0.2.1", kHostPort), quickly).has_value() == any);
    CHECK(ask(kHere, transport, endpoint("127.0.0.1", kHostPort), quickly).has_value() == any);
  }
  // Traffic to other hosts.
  CHECK(ask("/run/netns/c1", Transport::Tcp, endpoint("192.0.2.2", 90), quickly).has_value() == any);
}

}  // namespace

TEST_CASE(
    "Networks of one container share its published ports and its default route, in every order of ADDs and DELs") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool chained : {false, true}) {
    for (const std::vector<int>& added : {std::vector{0, 1}, {1, 0}, {0, 1, 2}, {2, 0, 1}}) {
      std::vector<int> removed = added;
      std::ranges::sort(removed);
      do {
        CAPTURE(chained);
        FakeHost host;
        const std::string outside = host.addOutside();
        host.addNamespace("c1");
        const Plugins plugins;
        const Unchanged unchanged{host};
        std::vector<Membership> memberships{{chained, 0}, {chained, 1}, {chained, 2}};
        const Server tcp{"/run/netns/c1", Transport::Tcp, endpoint("0.0.0.0", 80), "c1"};
        const Server udp{"/run/netns/c1", Transport::Udp, endpoint("0.0.0.0", 80), "c1"};
        const Server there{outside, Transport::Tcp, endpoint("192.0.2.2", 90), "outside"};
        for (const int number : added) {
          memberships.at(static_cast<std::size_t>(number)).add();
          checkAll(memberships, outside);
        }
        for (const int number : removed) {
          memberships.at(static_cast<std::size_t>(number)).del();
          checkAll(memberships, outside);
        }
      } while (added.size() == 2 && std::ranges::next_permutation(removed).found);
    }
  }
}

TEST_CASE("A host port leads to the network that was joined first, also after a flush and a repair") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  host.addNamespace("c1");
  const Plugins plugins;
  std::vector<Membership> memberships{{false, 0}, {false, 1}};
  const auto target = [] { return outputOf({"nft", "list", "map", "ip", "pons", "forwards_any"}); };
  memberships[1].add();
  memberships[0].add();
  CHECK(contains(target(), ": 10.41.0."));
  CHECK(!contains(target(), ": 10.40.0."));
  shell("nft flush ruleset");
  CHECK(repair().ok());
  CHECK(contains(target(), ": 10.41.0."));
  for (const Membership& membership : memberships) membership.check();
  memberships[1].del();
  CHECK(contains(target(), ": 10.40.0."));
  memberships[0].check();
  memberships[0].del();
  CHECK(ledgerText().empty());
}

TEST_CASE("A shared host port has the allowFrom of the network that it leads to, and none where that has none") {
  const auto configOf = [](const std::string& name, const std::string& subnet, const std::string& more) {
    return R"({"cniVersion": "1.1.0", "type": "pons", "name": ")" + name + R"(", "bridge": ")" + name +
           R"(", "ipam": {"subnet": ")" + subnet + R"("}, "portMappings": [{"hostPort": 8080, "containerPort": 80)" +
           more + "}]}";
  };
  const auto isRestricted = [](const std::string& subnet) {
    return contains(outputOf({"nft", "list", "set", "ip", "pons", "restricted_ports"}), subnet);
  };
  const std::string lan = R"(, "allowFrom": ["192.0.2.0/24"])";
  const std::string wide = R"(, "allowFrom": ["192.0.0.0/16", "198.51.100.0/24"])";
  const std::string none;
  for (const auto& [ofFirst, ofSecond] :
       {std::pair{lan, lan}, std::pair{lan, wide}, std::pair{lan, none}, std::pair{none, lan}}) {
    CAPTURE(ofFirst);
    CAPTURE(ofSecond);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const std::string first = configOf("one", "10.41.0.0/24", ofFirst);
    const std::string second = configOf("two", "10.42.0.0/24", ofSecond);
    const Subject eth0{.ifName = "eth0"};
    const Subject eth1{.ifName = "eth1"};
    const Outcome one = add(first, eth0);
    resultOf(one);
    const Outcome two = add(second, eth1);
    resultOf(two);
    CHECK(isRestricted("10.41.0.") == !ofFirst.empty());
    CHECK(!isRestricted("10.42.0."));
    checkSilent(check(withPrevious(first, one.out), eth0));
    checkSilent(check(withPrevious(second, two.out), eth1));
    checkSilent(del(first, eth0));
    CHECK(!isRestricted("10.41.0."));
    CHECK(isRestricted("10.42.0.") == !ofSecond.empty());
    checkSilent(check(withPrevious(second, two.out), eth1));
    CHECK(contains(outputOf({"nft", "list", "set", "ip", "pons", "allowed_24"}), "elements") == !ofSecond.empty());
    checkSilent(del(second, eth1));
    CHECK(outputOf({"nft", "list", "ruleset"}).empty());
  }
}

TEST_CASE("Another container's attachment never shares a port") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1", publishing({{8080, 80}}));
  host.addNamespace("c2");
  checkError(add(demo.config(publishing({{8080, 80}})), subjectOf("c2")), pons::cni::ErrorCode::InvalidConfig,
             {"8080/tcp", "container c1"});
  demo.checkAll();
}

TEST_CASE("Both addresses of a container that is twice in one network answer, and only while they are its own") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool firstLeavesFirst : {true, false}) {
    FakeHost host;
    host.addNamespace("c1");
    host.addNamespace("peer");
    const Unchanged unchanged{host};
    const std::string config = configOf("1.0.0", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}],
                                                                      [{"subnet": "fd42::/64"}]]})");
    const Subject first{.args = "IP=10.42.0.251,fd42::251"};
    const Subject second{.ifName = "net1", .args = "IP=10.42.0.252,fd42::252"};
    const std::string firstResult = add(config, first).out;
    const std::string secondResult = add(config, second).out;
    resultOf(add(config, subjectOf("peer")));
    const Server four{"/run/netns/c1", Transport::Tcp, endpoint("0.0.0.0", 80), "c1"};
    const Server six{"/run/netns/c1", Transport::Tcp, endpoint("::", 81), "c1"};
    const auto answers = [](const char* from, const std::string& address, std::uint16_t port) {
      const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{2500}};
      const Place place = from == nullptr ? kHere : Place{from};
      return ask(place, Transport::Tcp, endpoint(address, port), quickly).has_value();
    };
    for (const char* from : {static_cast<const char*>(nullptr), "/run/netns/peer"}) {
      for (const char* last : {"251", "252"}) {
        CAPTURE(last);
        CHECK(answers(from, std::string{"10.42.0."} + last, 80));
        CHECK(answers(from, std::string{"fd42::"} + last, 81));
      }
    }
    checkSilent(check(withPrevious(config, firstResult), first));
    checkSilent(check(withPrevious(config, secondResult), second));
    shell("nft flush table bridge pons");
    CHECK(repair().ok());
    checkSilent(check(withPrevious(config, firstResult), first));

    const Subject& leaving = firstLeavesFirst ? first : second;
    const Subject& staying = firstLeavesFirst ? second : first;
    const std::string given = firstLeavesFirst ? "10.42.0.251" : "10.42.0.252";
    CHECK(contains(outputOf({"nft", "list", "table", "bridge", "pons"}), given));
    checkSilent(del(config, leaving));
    CHECK(!contains(outputOf({"nft", "list", "table", "bridge", "pons"}), given));
    shell("ip neigh flush all");  // it was the other interface that had answered for both
    checkSilent(check(withPrevious(config, firstLeavesFirst ? secondResult : firstResult), staying));
    CHECK(answers(nullptr, firstLeavesFirst ? "10.42.0.252" : "10.42.0.251", 80));
    checkSilent(del(config, staying));
    checkSilent(del(config, subjectOf("peer")));
  }
}
