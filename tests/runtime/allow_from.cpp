// "allowFrom" of published ports: who reaches them, and what the others get.
#include <cerrno>

#include <doctest/doctest.h>

#include "tests/runtime/topology.h"
#include "tests/support/text.h"

using namespace support;
using netlib::Family;

namespace {

const std::string kAllowed4 = "192.0.2.3";
const std::string kAllowed6 = "2001:db8:1::3";

/// Two mappings to the container's port 80, by TCP and UDP, with these members more.
std::string mapping(int hostPort, const std::string& more) {
  std::string both;
  for (const char* protocol : {"tcp", "udp"}) {
    both += (both.empty() ? "" : ", ") + std::string{R"({"containerPort": 80, "protocol": ")"} + protocol +
            R"(", "hostPort": )" + std::to_string(hostPort) + more + "}";
  }
  return both;
}

std::string ipsOfA() { return ipsOf(addressesOf(Family::Ipv4).a, addressesOf(Family::Ipv6).a); }
std::string ipsOfB() { return ipsOf(addressesOf(Family::Ipv4).b, addressesOf(Family::Ipv6).b); }

/// The outside has a second address in each family; "a" has these ports and a server, "b" is another container.
void attachBoth(Topology& topology, const std::string& mappings) {
  const auto addresses = "ip -n outside addr add " + kAllowed4 + "/24 dev uplink; ip -n outside addr add " + kAllowed6 +
                         "/64 dev uplink nodad preferred_lft 0";
  outputOf({"sh", "-ec", addresses});
  // The kernel sends a peer six ICMP errors, and then one a second (icmp(7), icmp_ratelimit).
  outputOf({"sysctl", "-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"});
  const std::string a = topology.attach("a", ipsOfA() + R"(, "portMappings": [)" + mappings + "]");
  topology.serve(a, kContainerPort, "a");
  topology.attach("b", ipsOfB());
}

/// Of the second address in that family.
AskOptions fromSecond(Family family) { return {.source = endpoint(family == Family::Ipv4 ? kAllowed4 : kAllowed6, 0)}; }

void forBoth(const std::function<void(Transport transport, const Addresses& addresses)>& work) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      INFO(netlib::nameOf(family), transport == Transport::Tcp ? " TCP" : " UDP");
      work(transport, addressesOf(family));
    }
  }
}

/// The errno of ICMP "administratively prohibited" in either family.
int rejectionOf(const Addresses& addresses) { return addresses.family == Family::Ipv4 ? EHOSTUNREACH : EACCES; }

void checkRejected(const Place& place, Transport transport, const Addresses& addresses, std::uint16_t port,
                   const std::string& host) {
  const int error = errorOfAsking(place, transport, endpoint(host, port));
  CHECK(error == rejectionOf(addresses));
}

bool answers(const Place& place, Transport transport, const std::string& host, std::uint16_t port,
             const AskOptions& options = {}) {
  return ask(place, transport, endpoint(host, port), options).has_value();
}

}  // namespace

TEST_CASE("allowFrom: the listed clients and the host reach the port, others are rejected and counted") {
  for (const std::string filtering : {"0", "1"}) {
    CAPTURE(filtering);
    inTopology([&](Topology& topology) {
      outputOf({"sh", "-ec",
                "for i in '' 6; do sysctl -qw net.bridge.bridge-nf-call-ip${i}tables=" + filtering + " || :; done"});
      attachBoth(topology, mapping(kHostPort, R"(, "allowFrom": [")" + kAllowed4 + R"(", ")" + kAllowed6 + R"("])") +
                               ", " + mapping(8082, ""));
      forBoth([&](Transport transport, const Addresses& addresses) {
        CHECK(answers(topology.outside, transport, addresses.host, kHostPort, fromSecond(addresses.family)));
        checkRejected(topology.outside, transport, addresses, kHostPort, addresses.host);
        // Containers are clients like others, the port's own container as well; the host is always allowed.
        checkRejected(pathOf("b"), transport, addresses, kHostPort, addresses.host);
        checkRejected(pathOf("a"), transport, addresses, kHostPort, addresses.host);
        CHECK(answers(kHere, transport, addresses.host, kHostPort));
        if (addresses.family == Family::Ipv4) CHECK(answers(kHere, transport, "127.0.0.1", kHostPort));
        // The same container port, published without a restriction.
        CHECK(answers(topology.outside, transport, addresses.host, 8082));
        CHECK(answers(pathOf("b"), transport, addresses.host, 8082));
      });
      for (const std::string family : {"ip", "ip6"}) {
        const std::string chain = outputOf({"nft", "list", "chain", family, "pons", "restricted"});
        CHECK_MESSAGE(contains(chain, "counter packets "), chain);
        CHECK_MESSAGE(!contains(chain, "counter packets 0 "), chain);
      }
      topology.del("a");
      CHECK(!contains(outputOf({"nft", "list", "ruleset"}), "8080"));
    });
  }
}

TEST_CASE("allowFrom with CIDRs of one family: of the other one nobody from other hosts may connect") {
  inTopology([](Topology& topology) {
    attachBoth(topology, mapping(kHostPort, R"(, "allowFrom": ["192.0.2.0/25", "10.42.0.0/16"])"));
    forBoth([&](Transport transport, const Addresses& addresses) {
      if (addresses.family == Family::Ipv4) {
        CHECK(answers(topology.outside, transport, addresses.host, kHostPort));
        CHECK(answers(pathOf("b"), transport, addresses.host, kHostPort));
        CHECK(answers(pathOf("a"), transport, addresses.host, kHostPort));
      } else {
        checkRejected(topology.outside, transport, addresses, kHostPort, addresses.host);
        checkRejected(pathOf("b"), transport, addresses, kHostPort, addresses.host);
        CHECK(answers(kHere, transport, addresses.host, kHostPort));
      }
    });
  });
}

TEST_CASE("allowFrom restricts a port at its own host address only, and all of 0.0.0.0/0 is everybody") {
  inTopology([](Topology& topology) {
    const Addresses& v4 = addressesOf(Family::Ipv4);
    const std::string at = R"(, "hostIP": ")";
    attachBoth(topology, mapping(8081, at + v4.host + "\"") + ", " +
                             mapping(8081, at + v4.gateway + R"(", "allowFrom": ["198.51.100.0/24"])") + ", " +
                             mapping(8083, R"(, "allowFrom": ["0.0.0.0/0"])"));
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(answers(topology.outside, transport, v4.host, 8081));
      CHECK(answers(pathOf("b"), transport, v4.host, 8081));
      checkRejected(pathOf("b"), transport, v4, 8081, v4.gateway);
      CHECK(answers(topology.outside, transport, v4.host, 8083));
      CHECK(answers(pathOf("b"), transport, v4.gateway, 8083));
    }
  });
}

TEST_CASE("allowFrom of two containers: each port has its own clients, in any order of ADD and DEL") {
  for (const bool restrictedFirst : {false, true}) {
    CAPTURE(restrictedFirst);
    inTopology([&](Topology& topology) {
      const Addresses& v4 = addressesOf(Family::Ipv4);
      const auto attach = [&](const std::string& name, const std::string& ips, int port, const std::string& more) {
        topology.serve(topology.attach(name, ips + R"(, "portMappings": [)" + mapping(port, more) + "]"),
                       kContainerPort, name);
      };
      const auto attachRestricted = [&] { attach("a", ipsOfA(), 8080, R"(, "allowFrom": ["198.51.100.0/24"])"); };
      const auto attachOpen = [&] { attach("b", ipsOfB(), 8081, R"(, "allowFrom": ["192.0.2.2"])"); };
      if (restrictedFirst) attachRestricted();
      attachOpen();
      if (!restrictedFirst) attachRestricted();
      checkRejected(topology.outside, Transport::Tcp, v4, 8080, v4.host);
      CHECK(answers(topology.outside, Transport::Tcp, v4.host, 8081));
      topology.del(restrictedFirst ? "b" : "a");
      if (restrictedFirst) {
        checkRejected(topology.outside, Transport::Tcp, v4, 8080, v4.host);
      } else {
        CHECK(answers(topology.outside, Transport::Tcp, v4.host, 8081));
      }
    });
  }
}

TEST_CASE("allowFrom survives a flushed ruleset: the repair restores it") {
  inTopology([](Topology& topology) {
    const Addresses& v4 = addressesOf(Family::Ipv4);
    attachBoth(topology, mapping(kHostPort, R"(, "allowFrom": [")" + kAllowed4 + R"("])"));
    outputOf({"nft", "flush", "ruleset"});
    REQUIRE(run({PONSCTL_BINARY, "repair"}, {.environment = std::vector<std::string>{}, .input = {}}).ok());
    CHECK(answers(topology.outside, Transport::Tcp, v4.host, kHostPort, fromSecond(Family::Ipv4)));
    checkRejected(topology.outside, Transport::Tcp, v4, kHostPort, v4.host);
    // The addresses of a set that somebody has emptied, and the port that is no longer restricted.
    for (const char* set : {"allowed_32", "restricted_ports"}) {
      outputOf({"nft", "flush", "set", "ip", "pons", set});
      REQUIRE(run({PONSCTL_BINARY, "repair"}, {.environment = std::vector<std::string>{}, .input = {}}).ok());
      CHECK(answers(topology.outside, Transport::Tcp, v4.host, kHostPort, fromSecond(Family::Ipv4)));
      checkRejected(topology.outside, Transport::Tcp, v4, kHostPort, v4.host);
    }
  });
}
