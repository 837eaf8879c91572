// Containers of one bridge that disagree: the rule of each shared state holds, in any order of arrival, and every
// tool agrees with the kernel. The rules themselves are tested in tests/kernel/steps_shared.cpp.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"
#include "tests/support/traffic.h"

using namespace support;

namespace {

const std::string kIpam = R"("ipam": {"subnet": "10.42.0.0/24"})";

std::string policy(const std::string& name) { return R"("ingressPolicy": ")" + name + "\""; }

/// A container whose ingress policy comes from its network, or from a chained firewall plugin.
struct Member {
  std::string container;
  std::string ingress;
  bool chained = false;
};

class Bridge {
 public:
  explicit Bridge(FakeHost& host) : host_(host) {}

  void join(const Member& member) {
    host_.addNamespace(member.container);
    std::vector<Link> links{{"pons", R"("bridge": "pons0", )" + kIpam}};
    if (member.chained) {
      links.push_back({"firewall", policy(member.ingress)});
    } else if (!member.ingress.empty()) {
      links.front().members += ", " + policy(member.ingress);
    }
    Chain& chain = chains_.emplace(member.container, Chain{links}).first->second;
    addresses_[member.container] =
        addressIn(pons::json::Document::parse(chain.add(subjectOf(member.container))).value());
    servers_.emplace(std::piecewise_construct, std::forward_as_tuple(member.container),
                     std::forward_as_tuple("/run/netns/" + member.container, Transport::Tcp,
                                           endpoint(addresses_[member.container], 80), member.container));
  }
  void leave(const Member& member) {
    servers_.erase(member.container);
    chains_.at(member.container).del(subjectOf(member.container));
    chains_.erase(member.container);
    addresses_.erase(member.container);
    host_.removeNamespace("/run/netns/" + member.container);
  }

  /// Whether each container reaches each other one; every CHECK, a repair and STATUS find nothing.
  void check(bool reaches) const {
    const AskOptions quickly{.source = {}, .timeout = std::chrono::milliseconds{reaches ? 3000 : 150}};
    for (const auto& [from, chain] : chains_) {
      CAPTURE(from);
      chain.check(subjectOf(from));
      for (const auto& [to, address] : addresses_) {
        if (from == to) continue;
        CAPTURE(to);
        const auto answer = ask("/run/netns/" + from, Transport::Tcp, endpoint(address, 80), quickly);
        CHECK(answer.has_value() == reaches);
      }
    }
    const Outcome repaired = repair({"--dry-run"});
    CHECK_MESSAGE(repaired.ok(), repaired.out << repaired.err);
    checkSilent(callForNetwork("STATUS", Link{"pons", R"("bridge": "pons0", )" + kIpam}.config()));
  }

 private:
  FakeHost& host_;
  std::map<std::string, Chain> chains_;
  std::map<std::string, std::string> addresses_;
  std::map<std::string, Server> servers_;
};

}  // namespace

TEST_CASE("The strictest ingress policy of a bridge holds, in every order and by whichever plugin, until it leaves") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  bool chained = false;
  std::vector<std::size_t> order{0, 1, 2};
  do {
    CAPTURE(chained);
    CAPTURE(order[0]);
    CAPTURE(order[1]);
    const Member strict{"c1", "isolated", chained};
    const std::vector<Member> members{strict, {"c2", "same-bridge", !chained}, {"c3", ""}};
    FakeHost host;
    const Plugins plugins;
    const Unchanged unchanged{host};
    Bridge bridge{host};
    bool isolated = false;
    for (const std::size_t number : order) {
      bridge.join(members.at(number));
      isolated |= number == 0;
      bridge.check(!isolated);
    }
    bridge.leave(strict);
    bridge.check(true);
    bridge.join(strict);
    bridge.check(false);
    for (const std::size_t number : order) bridge.leave(members.at(number));
    chained = !chained;
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE(
    "An ADD that fails leaves MTU, promiscuous mode and policy of a bridge with a living container as they were") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kIpam};
  demo.attach(host, "c1", R"("mtu": 1500, "ingressPolicy": "isolated")");
  host.addNamespace("c2");
  shell("ip -n c2 link add eth0 type veth peer name other");
  const std::string before = host.dump() + ledgerText();
  for (const std::string more :
       {R"("mtu": 1400, "ingressPolicy": "same-bridge")", R"("mtu": 1300, "promiscMode": true)",
        R"("portIsolation": true, "internal": true)", R"("egressPolicy": {"allowedCidrs": ["192.0.2.0/24"]})"}) {
    CAPTURE(more);
    const Outcome refused = add(demo.config(more), subjectOf("c2"));
    CHECK(!refused.ok());
    CHECK_MESSAGE(contains(refused.out, "eth0"), refused.out);
    CHECK(host.dump() + ledgerText() == before);
    demo.checkAll();
  }
}

TEST_CASE("The result of ADD has the MTU that the bridge then has") {
  REQUIRE_FAKE_HOST(host);
  const Network demo{"demo", kIpam};
  for (const auto& [container, mtu] : {std::pair{"c1", 1500}, {"c2", 1300}, {"c3", 1400}}) {
    CAPTURE(container);
    host.addNamespace(container);
    const auto result = resultOf(add(demo.config(R"("mtu": )" + std::to_string(mtu)), subjectOf(container)));
    const std::string kernel = contentOf("/proc/sys/net/ipv6/conf/pons-demo/mtu");
    CHECK(std::to_string(result["interfaces"].items().front()["mtu"].integer().value_or(0)) + "\n" == kernel);
  }
}

TEST_CASE("A bridge that is deleted under containers comes back with its MAC, by repair and by the next ADD") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool byRepair : {true, false}) {
    CAPTURE(byRepair);
    FakeHost host;
    Network demo{"demo", kIpam + R"(, "promiscMode": true, "egressPolicy": {"allowedCidrs": ["10.42.0.0/24"]})"};
    const auto mac = [] { return outputOf({"sh", "-c", "ip -br link show pons-demo | tr -s ' ' | cut -d' ' -f3"}); };
    const Unchanged unchanged{host};
    const Server gateway{kHere, Transport::Tcp, endpoint("0.0.0.0", 90), "gateway"};
    const auto reach = [](const std::string& container) {
      return ask("/run/netns/" + container, Transport::Tcp, endpoint("10.42.0.1", 90)).has_value();
    };
    for (const char* name : {"c1", "c2"}) demo.attach(host, name, publishing({{name[1] == '1' ? 8081 : 8082, 80}}));
    const std::string before = mac();
    for (const char* name : {"c1", "c2"}) CHECK(reach(name));
    shell("ip link del pons-demo");
    if (byRepair) {
      CHECK(repair().ok());
    } else {
      demo.attach(host, "c3");
      CHECK(reach("c3"));
      CHECK(mac() == before);
      CHECK(repair().ok());  // plugs the others in again
    }
    CHECK(mac() == before);
    CHECK(contains(outputOf({"ip", "link", "show", "pons-demo"}), "PROMISC"));
    for (const char* name : {"c1", "c2"}) CHECK(reach(name));
    demo.checkAll();
    for (const char* name : {"c1", "c2"}) checkSilent(demo.del(name));
    if (!byRepair) checkSilent(demo.del("c3"));
  }
}

TEST_CASE("The host's firewall jumps to the chain of every administrator that an attachment names, while it does") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  shell("iptables-nft -P FORWARD DROP; for c in ADMIN1 ADMIN2; do iptables-nft -N $c; done");
  const auto rules = [] { return outputOf({"iptables-nft", "-S", "FORWARD"}); };
  const std::string before = rules();
  const auto linksOf = [](const std::string& admin) {
    return std::vector<Link>{
        {"bridge", R"("bridge": "br0", "isGateway": true, "ipam": {"type": "host-local", "dataDir": "/run/hl",
                      "subnet": "10.42.0.0/24"})"},
        {"firewall", admin.empty() ? "" : R"("iptablesAdminChainName": ")" + admin + "\""}};
  };
  const std::vector<std::string> admins{"ADMIN1", "ADMIN2", "ADMIN1"};
  std::vector<std::size_t> order{0, 1, 2};
  for (std::size_t number = 0; number < admins.size(); ++number) host.addNamespace("c" + std::to_string(number));
  do {
    CAPTURE(order[0]);
    CAPTURE(order[1]);
    std::map<std::size_t, Chain> attached;
    const auto check = [&] {
      const std::string now = rules();
      const auto isNamed = [&](const std::string& admin) {
        return std::ranges::any_of(attached, [&](const auto& entry) { return admins.at(entry.first) == admin; });
      };
      for (const std::string admin : {"ADMIN1", "ADMIN2"}) CHECK(contains(now, "-j " + admin + "\n") == isNamed(admin));
      CHECK(contains(now, "-i br0 ") == !attached.empty());
      for (const auto& [number, chain] : attached) chain.check(subjectOf("c" + std::to_string(number)));
    };
    for (const std::size_t number : order) {
      Chain& chain = attached.emplace(number, Chain{linksOf(admins.at(number))}).first->second;
      chain.add(subjectOf("c" + std::to_string(number)));
      check();
    }
    for (const std::size_t number : order) {
      attached.at(number).del(subjectOf("c" + std::to_string(number)));
      attached.erase(number);
      check();
    }
    CHECK(rules() == before);
  } while (std::ranges::next_permutation(order).found);
}
