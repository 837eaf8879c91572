// Hosts whose own firewall forwards nothing, and ingress policies between bridges.
#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "tests/runtime/topology.h"

using namespace support;
using netlib::Family;

namespace {

constexpr std::chrono::milliseconds kShort{200};

void shell(const std::string& commands) { outputOf({"sh", "-ec", commands}); }

std::string rules() {
  return outputOf({"nft", "-s", "list", "ruleset"}) + outputOf({"sh", "-c", "iptables-legacy -S; ip6tables-legacy -S"});
}

// Another network that the host forwards to: 198.51.100.2 and 2001:db8:2::2.
void addLan(Topology& topology) {
  const std::string lan = topology.host.addNamespace("lan");
  shell(
      "ip link add lan type veth peer name lan netns lan; ip addr add 198.51.100.1/24 dev lan;"
      "ip addr add 2001:db8:2::1/64 dev lan nodad; ip link set lan up;"
      "ip -n lan addr add 198.51.100.2/24 dev lan; ip -n lan addr add 2001:db8:2::2/64 dev lan nodad;"
      "ip -n lan link set lan up; ip -n lan route add default via 198.51.100.1;"
      "ip -n lan route add default via 2001:db8:2::1; ip -n outside route add 198.51.100.0/24 via 192.0.2.1;"
      "ip -n outside route add 2001:db8:2::/64 via 2001:db8:1::1");
  topology.serve(lan, kContainerPort, "lan");
}

std::optional<std::string> askSoon(const Place& from, Transport transport, const std::string& to, std::uint16_t port) {
  return ask(from, transport, endpoint(to, port), {.source = {}, .timeout = kShort});
}

template <class Work>
void forEachWayIn(Topology& topology, Work work) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      INFO(netlib::nameOf(family), " ", transport == Transport::Tcp ? "TCP" : "UDP");
      work(topology, Way{transport, addressesOf(family)});
    }
  }
}

void checkPaths(Topology& topology) {
  forEachWayIn(topology, [](Topology& in, const Way& way) {
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
      inTopology([&](Topology& topology) {
        shell(firewall);
        for (const char* key : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
          REQUIRE(netlib::sysctl::write(key, bridged).ok());
        }
        addLan(topology);
        topology.serve(topology.outside, 443, "web");
        shell(
            "ip -n outside route add 10.42.0.0/24 via 192.0.2.1; ip -n outside route add fd00:42::/64 via "
            "2001:db8:1::1");
        const std::string before = rules();
        topology.attachBoth();
        checkPaths(topology);
        topology.del("a");
        topology.del("b");
        CHECK(rules() == before);
      });
    }
  }
}

TEST_CASE("With \"forward\": \"off\" the host's firewall has its way") {
  inTopology([](Topology& topology) {
    shell("iptables-nft -P FORWARD DROP");
    const std::string before = outputOf({"iptables-nft", "-S"});
    topology.members = R"(, "forward": "off")";
    topology.serve(topology.outside, 443, "web");
    topology.attachBoth();
    CHECK(outputOf({"iptables-nft", "-S"}) == before);
    CHECK_FALSE(askSoon(pathOf("b"), Transport::Tcp, addressesOf(Family::Ipv4).outside, 443));
  });
}

TEST_CASE("Ingress policies keep bridges apart, and isolated ones their containers too") {
  for (const std::string policy : {"open", "same-bridge", "isolated"}) {
    for (const std::string bridged : {"0", "1"}) {
      INFO(policy, ", bridge-nf-call-iptables ", bridged);
      inTopology([&](Topology& topology) {
        for (const char* key : {"net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"}) {
          REQUIRE(netlib::sysctl::write(key, bridged).ok());
        }
        const std::string before = rules();
        topology.members = R"(, "ingressPolicy": ")" + policy + "\"";
        topology.serve(topology.outside, 443, "web");
        topology.attachBoth();
        const auto far = topology.attachElsewhere("far", policy);
        topology.serve(far, kContainerPort, "far");
        const bool sameBridge = policy != "isolated";
        const bool otherBridge = policy == "open";
        forEachWayIn(topology, [&](Topology& in, const Way& way) {
          const Addresses& who = way.addresses;
          const std::string other = who.family == Family::Ipv4 ? "10.43.0.2" : "fd00:43::2";
          CHECK(ask(pathOf("b"), way.transport, endpoint(who.outside, 443)) == "web " + who.host);
          CHECK(ask(in.outside, way.transport, endpoint(who.host, kHostPort)) == "a " + who.outside);
          CHECK(askSoon(pathOf("b"), way.transport, who.a, kContainerPort).has_value() == sameBridge);
          CHECK(askSoon(pathOf("b"), way.transport, other, kContainerPort).has_value() == otherBridge);
          CHECK(askSoon(far, way.transport, who.a, kContainerPort).has_value() == otherBridge);
          // A published port is published for everybody.
          CHECK(ask(far, way.transport, endpoint(who.host, kHostPort)));
          // br_netfilter bridges a frame that it has translated to an address of the same bridge: an isolated port gets
          // none.
          const bool bridgesToIsolated = policy == "isolated" && bridged == "1";
          const auto near = ask(pathOf("b"), way.transport, endpoint(who.host, kHostPort));
          CHECK(near.value_or("") == (bridgesToIsolated ? "" : "a " + who.gateway));
          CHECK(ask(kHere, way.transport, endpoint(who.a, kContainerPort)));
        });
        for (const char* container : {"a", "b"}) topology.del(container);
        topology.delElsewhere("far");
        CHECK(rules() == before);
      });
    }
  }
}

TEST_CASE("A bridge without an ingress policy reaches one that has one, as the reference has it") {
  inTopology([](Topology& topology) {
    topology.members = R"(, "ingressPolicy": "same-bridge")";
    topology.attachBoth();
    const auto far = topology.attachElsewhere("far", "open");
    CHECK(ask(far, Transport::Tcp, endpoint(addressesOf(Family::Ipv4).a, kContainerPort)));
  });
}
