// Hosts whose own firewall forwards nothing, and ingress policies between bridges.
#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "tests/runtime/town.h"

using namespace support;
using netlib::Family;

namespace {

constexpr std::chrono::milliseconds kShort{200};

void shell(const std::string& commands) { outputOf({"sh", "-ec", commands}); }

std::string rules() {
  return outputOf({"nft", "-s", "list", "ruleset"}) + outputOf({"sh", "-c", "iptables-legacy -S; ip6tables-legacy -S"});
}

// A network beside the containers' that the host would forward to as well: 198.51.100.2 and 2001:db8:2::2.
void addLan(Town& town) {
  const std::string lan = town.host.addNamespace("lan");
  shell(
      "ip link add lan type veth peer name lan netns lan; ip addr add 198.51.100.1/24 dev lan;"
      "ip addr add 2001:db8:2::1/64 dev lan nodad; ip link set lan up;"
      "ip -n lan addr add 198.51.100.2/24 dev lan; ip -n lan addr add 2001:db8:2::2/64 dev lan nodad;"
      "ip -n lan link set lan up; ip -n lan route add default via 198.51.100.1;"
      "ip -n lan route add default via 2001:db8:2::1; ip -n outside route add 198.51.100.0/24 via 192.0.2.1;"
      "ip -n outside route add 2001:db8:2::/64 via 2001:db8:1::1");
  town.serve(lan, kContainerPort, "lan");
}

std::optional<std::string> askSoon(const Place& from, Transport transport, const std::string& to, std::uint16_t port) {
  return ask(from, transport, endpoint(to, port), {.source = {}, .timeout = kShort});
}

template <class Work>
void forEachWayIn(Town& town, Work work) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      INFO(netlib::nameOf(family), " ", transport == Transport::Tcp ? "TCP" : "UDP");
      work(town, Way{transport, addressesOf(family)});
    }
  }
}

void checkPaths(Town& town) {
  forEachWayIn(town, [](Town& in, const Way& way) {
    const Addresses& who = way.addresses;
    CHECK(ask(pathOf("b"), way.transport, endpoint(who.outside, 443)) == "web " + who.host);
    CHECK(ask(in.outside, way.transport, endpoint(who.host, kHostPort)) == "a " + who.outside);
    CHECK(ask(pathOf("b"), way.transport, endpoint(who.a, kContainerPort)) == "a " + who.b);
    CHECK(ask(pathOf("b"), way.transport, endpoint(who.host, kHostPort)) == "a " + who.gateway);
    const std::string lan = who.family == Family::Ipv4 ? "198.51.100.2" : "2001:db8:2::2";
    CHECK_FALSE(askSoon(in.outside, way.transport, lan, kContainerPort));
    CHECK(ask(kHere, way.transport, endpoint(lan, kContainerPort)));
    CHECK_FALSE(askSoon(in.outside, way.transport, who.a, kContainerPort));
  });
}

}  // namespace

TEST_CASE("Containers talk behind a firewall that forwards nothing else, and it is as before afterwards") {
  const std::pair<const char*, const char*> firewalls[] = {
      {"iptables-nft, policy DROP", "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP"},
      {"iptables-legacy, policy DROP", "iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP"},
      {"nft, policy drop",
       "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; "
       "}'"},
      {"nft, reject at the end",
       "nft 'add table inet fw; add chain inet fw f { type filter hook forward priority 10; };"
       "     add rule inet fw f iifname lo accept; add rule inet fw f reject with icmpx admin-prohibited'"},
      {"all of them",
       "iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP;"
       "iptables-legacy -P FORWARD DROP; ip6tables-legacy -P FORWARD DROP;"
       "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; policy drop; "
       "}'"}};
  for (const auto& [name, commands] : firewalls) {
    for (const std::string bridged : {"0", "1"}) {
      INFO(name, ", bridge-nf-call-iptables ", bridged);
      const std::string firewall = commands;
      inTown([&](Town& town) {
        shell(firewall);
        for (const char* key : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
          REQUIRE(netlib::sysctl::write(key, bridged).ok());
        }
        addLan(town);
        town.serve(town.outside, 443, "web");
        shell(
            "ip -n outside route add 10.42.0.0/24 via 192.0.2.1; ip -n outside route add fd00:42::/64 via "
            "2001:db8:1::1");
        const std::string before = rules();
        town.attachBoth();
        checkPaths(town);
        town.del("a");
        town.del("b");
        CHECK(rules() == before);
      });
    }
  }
}

TEST_CASE("With \"forward\": \"off\" the host's firewall has its way") {
  inTown([](Town& town) {
    shell("iptables-nft -P FORWARD DROP");
    const std::string before = outputOf({"iptables-nft", "-S"});
    town.members = R"(, "forward": "off")";
    town.serve(town.outside, 443, "web");
    town.attachBoth();
    CHECK(outputOf({"iptables-nft", "-S"}) == before);
    CHECK_FALSE(askSoon(pathOf("b"), Transport::Tcp, addressesOf(Family::Ipv4).outside, 443));
  });
}

TEST_CASE("Ingress policies keep bridges apart, and isolated ones their containers too") {
  for (const std::string policy : {"open", "same-bridge", "isolated"}) {
    for (const std::string bridged : {"0", "1"}) {
      INFO(policy, ", bridge-nf-call-iptables ", bridged);
      inTown([&](Town& town) {
        for (const char* key : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
          REQUIRE(netlib::sysctl::write(key, bridged).ok());
        }
        const std::string before = rules();
        town.members = R"(, "ingressPolicy": ")" + policy + "\"";
        town.serve(town.outside, 443, "web");
        town.attachBoth();
        const auto far = town.attachElsewhere("far", policy);
        town.serve(far, kContainerPort, "far");
        const bool sameBridge = policy != "isolated";
        const bool otherBridge = policy == "open";
        forEachWayIn(town, [&](Town& in, const Way& way) {
          const Addresses& who = way.addresses;
          const std::string other = who.family == Family::Ipv4 ? "10.43.0.2" : "fd00:43::2";
          CHECK(ask(pathOf("b"), way.transport, endpoint(who.outside, 443)) == "web " + who.host);
          CHECK(ask(in.outside, way.transport, endpoint(who.host, kHostPort)) == "a " + who.outside);
          CHECK(askSoon(pathOf("b"), way.transport, who.a, kContainerPort).has_value() == sameBridge);
          CHECK(askSoon(pathOf("b"), way.transport, other, kContainerPort).has_value() == otherBridge);
          CHECK(askSoon(far, way.transport, who.a, kContainerPort).has_value() == otherBridge);
          CHECK(ask(kHere, way.transport, endpoint(who.a, kContainerPort)));
        });
        for (const char* container : {"a", "b"}) town.del(container);
        town.delElsewhere("far");
        CHECK(rules() == before);
      });
    }
  }
}

TEST_CASE("A bridge without an ingress policy reaches one that has one, as the reference has it") {
  inTown([](Town& town) {
    town.members = R"(, "ingressPolicy": "same-bridge")";
    town.attachBoth();
    const auto far = town.attachElsewhere("far", "open");
    CHECK(ask(far, Transport::Tcp, endpoint(addressesOf(Family::Ipv4).a, kContainerPort)));
  });
}
