// Egress policies: the connections that a container may open.
#include <cerrno>

#include <doctest/doctest.h>

#include "tests/runtime/topology.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;
using netlib::Family;

namespace {

constexpr std::chrono::milliseconds kShort{250};

std::optional<std::string> askSoon(const Place& from, Transport transport, const std::string& to, std::uint16_t port) {
  return ask(from, transport, endpoint(to, port), {.source = {}, .timeout = kShort});
}

/// "a" serves and may do as it likes; "b" has this policy, and is reachable at its port 80.
void attach(Topology& topology, const std::string& policy, const std::string& onDeny = "") {
  if (!onDeny.empty()) topology.members = R"(, "onDeny": ")" + onDeny + '"';
  const Addresses& ipv4 = addressesOf(Family::Ipv4);
  const Addresses& ipv6 = addressesOf(Family::Ipv6);
  topology.serve(topology.attach("a", ipsOf(ipv4.a, ipv6.a)), kContainerPort, "a");
  const std::string dns = R"("dns": {"servers": [")" + ipv4.outside + R"(", ")" + ipv6.outside + R"("]})";
  topology.serve(topology.attach("b", ipsOf(ipv4.b, ipv6.b) + ", " + dns + R"(, "egressPolicy": )" + policy),
                 kContainerPort, "b");
  for (const std::uint16_t port : {std::uint16_t{53}, std::uint16_t{80}, std::uint16_t{443}}) {
    topology.serve(topology.outside, port, "web");
  }
  topology.serve(kHere, 443, "host");
}

void forEachTopology(const std::string& policy,
                     const std::function<void(Topology& topology, const Addresses& who)>& work,
                     const std::string& onDeny = "") {
  for (const std::string bridged : {"0", "1"}) {
    CAPTURE(bridged);
    inTopology([&](Topology& topology) {
      outputOf({"sh", "-ec", "echo " + bridged + " | tee /proc/sys/net/bridge/bridge-nf-call-ip*tables"});
      outputOf({"sh", "-ec", "for f in ipv4/icmp_ratelimit ipv6/icmp/ratelimit; do echo 0 > /proc/sys/net/$f; done"});
      const std::string before = topology.host.dump();
      attach(topology, policy, onDeny);
      for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        INFO(netlib::nameOf(family));
        work(topology, addressesOf(family));
      }
      topology.del("b");
      topology.del("a");
      CHECK(difference(before, topology.host.dump()) == "");
    });
  }
}

/// Replies pass any policy: to peers that may reach the container.
void checkReachable(const Addresses& who) {
  for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
    CHECK(ask(pathOf("a"), transport, endpoint(who.b, kContainerPort)) == "b " + who.a);
    CHECK(ask(kHere, transport, endpoint(who.b, kContainerPort)) == "b " + who.gateway);
  }
}

int endOfAsking(Transport transport, const std::string& address, std::uint16_t port,
                std::chrono::milliseconds timeout) {
  return errorOfAsking(pathOf("b"), transport, endpoint(address, port), {.source = {}, .timeout = timeout});
}

/// At once, by a TCP reset or by ICMP.
void checkDenied(Transport transport, const std::string& address, std::uint16_t port) {
  CAPTURE(address);
  CAPTURE(port);
  constexpr std::chrono::milliseconds kPatient{3000};
  const int prohibited = address.find(':') == std::string::npos ? EHOSTUNREACH : EACCES;
  CHECK(endOfAsking(transport, address, port, kPatient) == (transport == Transport::Tcp ? ECONNREFUSED : prohibited));
}

void checkSilent(Transport transport, const std::string& address, std::uint16_t port) {
  CAPTURE(address);
  CAPTURE(port);
  CHECK(endOfAsking(transport, address, port, kShort) == ETIMEDOUT);
}

/// What the counters of policies have counted.
int deniedPackets() {
  return std::stoi(outputOf({"sh", "-ec",
                             "nft list counters | awk '/counter egress_pons/ {own = 1} "
                             "own && /packets/ {sum += $2; own = 0} END {print sum + 0}'"}));
}

}  // namespace

TEST_CASE("An empty policy denies everything that the container begins, DNS as well") {
  forEachTopology("{}", [](Topology&, const Addresses& who) {
    const int before = deniedPackets();
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      for (const std::uint16_t port : {std::uint16_t{53}, std::uint16_t{443}})
        checkDenied(transport, who.outside, port);
      checkDenied(transport, who.a, kContainerPort);
      checkDenied(transport, who.gateway, 443);
      checkDenied(transport, who.host, 443);
    }
    CHECK(deniedPackets() >= before + 8);
    checkReachable(who);
  });
}

TEST_CASE("With onDeny drop what a policy denies ends in silence, and is counted as well") {
  const auto check = [](Topology&, const Addresses& who) {
    const int before = deniedPackets();
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(pathOf("b"), transport, endpoint(who.a, kContainerPort)) == "a " + who.b);
      checkSilent(transport, who.outside, 443);
      checkSilent(transport, who.gateway, 443);
    }
    CHECK(deniedPackets() >= before + 4);
    checkReachable(who);
  };
  forEachTopology(R"({"allowedCidrs": ["10.42.0.10", "fd00:42::10/128"]})", check, "drop");
}

TEST_CASE("Containers of one network may differ: one is rejected, the other one meets silence") {
  inTopology([](Topology& topology) {
    topology.serve(topology.outside, 443, "web");
    topology.members = R"(, "onDeny": "drop")";
    topology.attach("c", ipsOf("10.42.0.12", "fd00:42::12") + R"(, "egressPolicy": {})");
    topology.members = R"(, "onDeny": "reject")";
    topology.attach("b", ipsOf("10.42.0.11", "fd00:42::11") + R"(, "egressPolicy": {})");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const std::string& to = addressesOf(family).outside;
      for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
        CHECK(errorOfAsking(pathOf("c"), transport, endpoint(to, 443), {.source = {}, .timeout = kShort}) == ETIMEDOUT);
        checkDenied(transport, to, 443);
      }
    }
  });
}

TEST_CASE("A policy with destinations and ports allows those, and DNS to the servers of the attachment") {
  const std::string policy = R"({"allowedCidrs": ["192.0.2.0/24", "2001:db8:1::/64", "192.0.2.2/32"],
                                 "allowedTcpPorts": [443]})";
  forEachTopology(policy, [](Topology&, const Addresses& who) {
    CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(who.outside, 443)) == "web " + who.host);
    checkDenied(Transport::Udp, who.outside, 443);
    checkDenied(Transport::Tcp, who.outside, 80);
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(pathOf("b"), transport, endpoint(who.outside, 53)) == "web " + who.host);
      checkDenied(transport, who.a, kContainerPort);
      checkDenied(transport, who.gateway, 53);
    }
    checkReachable(who);
  });
}

TEST_CASE("A policy with destinations only allows all ports and protocols there, and nothing else") {
  const std::string policy = R"({"allowedCidrs": ["10.42.0.10", "fd00:42::10/128"], "allowDns": false})";
  forEachTopology(policy, [](Topology&, const Addresses& who) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(pathOf("b"), transport, endpoint(who.a, kContainerPort)) == "a " + who.b);
      checkDenied(transport, who.outside, 53);
      checkDenied(transport, who.outside, 443);
      checkDenied(transport, who.gateway, 443);
    }
    checkReachable(who);
  });
}

TEST_CASE("Destinations of every prefix length are those addresses, and not the ones beside them") {
  inTopology([](Topology& topology) {
    attach(topology, "{}");
    const auto isReached = [](const Addresses& who, const netlib::IpPrefix& destination) {
      const std::string policy = R"({"allowedCidrs": [")" + destination.toString() + R"("], "allowedTcpPorts": [443]})";
      const Outcome set = run({PONSCTL_BINARY, "policy", "b", "-"}, {.environment = {}, .input = policy});
      REQUIRE_MESSAGE(set.ok(), set.err);
      return ask(pathOf("b"), Transport::Tcp, endpoint(who.outside, 443)) == "web " + who.host;
    };
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& who = addressesOf(family);
      const auto outside = netlib::IpAddress::parse(who.outside).value();
      for (int length = 1; length <= bitsOf(family); length += family == Family::Ipv4 ? 1 : 3) {
        CAPTURE(length);
        CHECK(isReached(who, netlib::IpPrefix::of(outside, length)->network()));
        const auto lastBit = netlib::Uint128{1} << (bitsOf(family) - length);
        const auto beside = netlib::IpAddress::fromNumber(family, outside.number() ^ lastBit);
        CHECK_FALSE(isReached(who, netlib::IpPrefix::of(beside, length)->network()));
      }
    }
  });
}

// The kernel's log has no lines of any but the first network namespace, so the rule is looked at.
TEST_CASE("Denials are logged, five per minute of each container, and only if enabled") {
  for (const bool logs : {true, false}) {
    CAPTURE(logs);
    inTopology([&](Topology& topology) {
      attach(topology, logs ? "{}" : R"({"logDenied": false})");
      const std::string rules = outputOf({"nft", "-s", "list", "ruleset"});
      CHECK(contains(rules, "limit name iifname . ip saddr map @egress_logged log prefix \"pons denied: \"\n") == logs);
      CHECK(contains(rules, "limit egress_pons") == logs);
      CHECK(contains(rules, "rate 5/minute") == logs);
      CHECK(contains(rules, "log prefix") == logs);
    });
  }
}

TEST_CASE("An internal network: neighbours and the host are reachable, nothing else, and nothing reaches in") {
  for (const std::string bridged : {"0", "1"}) {
    CAPTURE(bridged);
    inTopology([&](Topology& topology) {
      outputOf({"sh", "-ec", "echo " + bridged + " | tee /proc/sys/net/bridge/bridge-nf-call-ip*tables"});
      const std::string before = topology.host.dump();
      topology.members = R"(, "internal": true)";
      const Addresses& ipv4 = addressesOf(Family::Ipv4);
      const Addresses& ipv6 = addressesOf(Family::Ipv6);
      topology.serve(topology.attach("a", ipsOf(ipv4.a, ipv6.a)), kContainerPort, "a");
      topology.attach("b", ipsOf(ipv4.b, ipv6.b));
      topology.serve(topology.outside, 443, "web");
      topology.serve(kHere, 443, "host");
      const std::string elsewhere = topology.attachElsewhere("c", "open");
      CHECK(outputOf({"ip", "-n", "b", "route", "show", "default"}).empty());
      CHECK(outputOf({"ip", "-n", "b", "-6", "route", "show", "default"}).empty());
      // Its own root can set a route; that is not what keeps it in.
      outputOf({"ip", "-n", "b", "route", "add", "default", "via", ipv4.gateway});
      outputOf({"ip", "-n", "b", "-6", "route", "add", "default", "via", ipv6.gateway});
      for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        INFO(netlib::nameOf(family));
        const Addresses& who = addressesOf(family);
        const std::string other = family == Family::Ipv4 ? "10.43.0.2" : "fd00:43::2";
        for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
          CHECK(ask(pathOf("b"), transport, endpoint(who.a, kContainerPort)) == "a " + who.b);
          CHECK(ask(pathOf("b"), transport, endpoint(who.gateway, 443)) == "host " + who.b);
          CHECK_FALSE(askSoon(pathOf("b"), transport, who.outside, 443));
          CHECK_FALSE(askSoon(elsewhere, transport, who.a, kContainerPort));
          CHECK_FALSE(askSoon(pathOf("b"), transport, other, kContainerPort));
        }
      }
      topology.delElsewhere("c");
      topology.del("b");
      topology.del("a");
      CHECK(difference(before, topology.host.dump()) == "");
    });
  }
}
