// What a container with full rights in its namespace tries, frame by frame, and that none of it leaves its port.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>
#include <netinet/in.h>

#include "tests/runtime/topology.h"
#include "tests/support/frames.h"

using namespace support;
using netlib::Family;
using netlib::IpAddress;
using netlib::MacAddress;

namespace {

IpAddress ip(const std::string& text) { return IpAddress::parse(text).value(); }
MacAddress mac(const char* text) { return MacAddress::parse(text).value(); }

// Derived from the addresses that the topology gives.
const MacAddress kMacOfA = mac("0a:58:0a:2a:00:0a");
const MacAddress kMacOfB = mac("0a:58:0a:2a:00:0b");
const MacAddress kForeignMac = mac("0a:58:0a:2a:00:63");
const MacAddress kEverybody = mac("ff:ff:ff:ff:ff:ff");
const MacAddress kAllNodesMac = mac("33:33:00:00:00:01");
const IpAddress kA4 = ip("10.42.0.10");
const IpAddress kB4 = ip("10.42.0.11");
const IpAddress kGateway4 = ip("10.42.0.1");
const IpAddress kA6 = ip("fd00:42::10");
const IpAddress kB6 = ip("fd00:42::11");
const IpAddress kGateway6 = ip("fd00:42::1");
const IpAddress kLinkLocalOfB = ip("fe80::858:aff:fe2a:b");
const IpAddress kAllNodes = ip("ff02::1");

const Hop kHop{kMacOfB, kMacOfA};
const Hop kToAll{kMacOfB, kEverybody};
const Hop kToAllNodes{kMacOfB, kAllNodesMac};

struct Frame {
  std::string what;
  Bytes bytes;
};

Bytes advertisement(const IpAddress& target, const MacAddress& claimed) {
  return icmp6({kB6, kAllNodes}, 136, Bytes{0x20, 0, 0, 0} + bytesOf(target) + Bytes{2, 1} + bytesOf(claimed));
}

Bytes solicitation(const IpAddress& from, const IpAddress& target) {
  return icmp6({from, kAllNodes}, 135, Bytes(4) + bytesOf(target));
}

Bytes advertisementWithTwoOptions() {
  return icmp6(
      {kB6, kAllNodes}, 136,
      Bytes{0x20, 0, 0, 0} + bytesOf(kB6) + Bytes{2, 1} + bytesOf(kMacOfB) + Bytes{2, 1} + bytesOf(kForeignMac));
}

/// The header says another kind of hardware.
Bytes strangeArp() {
  Bytes packet = arp(2, kMacOfB, kB4, kA4);
  packet[1] = 6;
  return packet;
}

const std::vector<Frame>& attacks() {
  const Bytes good4 = udp({kB4, kA4}, 4000, 4000);
  const Bytes router = Bytes{64, 0, 7, 8} + Bytes(8);
  static const std::vector<Frame> all{
      {"another MAC", ethernet({kForeignMac, kMacOfA}, kTypeIpv4, good4)},
      {"the neighbour's MAC", ethernet({kMacOfA, kMacOfA}, kTypeIpv4, good4)},
      {"another address", ethernet(kHop, kTypeIpv4, udp({ip("10.42.0.99"), kA4}, 4000, 4000))},
      {"the gateway's address", ethernet(kHop, kTypeIpv4, udp({kGateway4, kA4}, 4000, 4000))},
      {"an address of the outside", ethernet(kHop, kTypeIpv4, udp({ip("192.0.2.2"), kA4}, 4000, 4000))},
      {"no address", ethernet(kToAll, kTypeIpv4, udp({ip("0.0.0.0"), ip("255.255.255.255")}, 68, 67))},
      {"a later fragment of another", ethernet(kHop, kTypeIpv4, ipv4({kGateway4, kA4}, IPPROTO_UDP, Bytes(16), 8))},
      {"another IPv6 address", ethernet(kHop, kTypeIpv6, udp({ip("fd00:42::99"), kA6}, 4000, 4000))},
      {"the gateway's IPv6 address", ethernet(kHop, kTypeIpv6, udp({kGateway6, kA6}, 4000, 4000))},
      {"another link-local address", ethernet(kHop, kTypeIpv6, udp({ip("fe80::1"), kA6}, 4000, 4000))},
      {"no IPv6 address", ethernet(kHop, kTypeIpv6, udp({ip("::"), kA6}, 4000, 4000))},
      {"ARP for the gateway", ethernet(kToAll, kTypeArp, arp(2, kMacOfB, kGateway4, kGateway4))},
      {"ARP asking in the gateway's name", ethernet(kToAll, kTypeArp, arp(1, kMacOfB, kGateway4, kA4))},
      {"ARP with another MAC", ethernet(kToAll, kTypeArp, arp(2, kForeignMac, kB4, kB4))},
      {"ARP of another kind", ethernet(kToAll, kTypeArp, strangeArp())},
      {"a VLAN tag", ethernet(kHop, kTypeVlan, big16(7) + big16(kTypeIpv4) + good4)},
      {"a VLAN tag of a provider", ethernet(kHop, 0x88a8, big16(7) + big16(kTypeIpv4) + good4)},
      {"PPPoE", ethernet(kHop, 0x8864, Bytes{0x11, 0, 0, 1} + big16(30) + big16(0x21) + good4)},
      {"another type", ethernet(kHop, 0x88b5, Bytes(46, 7))},
      {"an 802.3 length", ethernet(kHop, 46, Bytes(46, 7))},
      {"a DHCP server", ethernet(kToAll, kTypeIpv4, udp({kB4, ip("255.255.255.255")}, 67, 68))},
      {"a DHCPv6 server", ethernet(kToAllNodes, kTypeIpv6, udp({kLinkLocalOfB, kAllNodes}, 547, 546))},
      {"a router advertisement", ethernet(kToAllNodes, kTypeIpv6, icmp6({kLinkLocalOfB, kAllNodes}, 134, router))},
      {"a redirect", ethernet(kHop, kTypeIpv6, icmp6({kLinkLocalOfB, kA6}, 137, Bytes(36)))},
      {"a multicast query", ethernet(kToAllNodes, kTypeIpv6, icmp6({kLinkLocalOfB, kAllNodes}, 130, Bytes(24)))},
      {"an advertisement of the gateway", ethernet(kToAllNodes, kTypeIpv6, advertisement(kGateway6, kMacOfB))},
      {"an advertisement of another MAC", ethernet(kToAllNodes, kTypeIpv6, advertisement(kB6, kForeignMac))},
      {"an advertisement of two MACs", ethernet(kToAllNodes, kTypeIpv6, advertisementWithTwoOptions())},
      {"detection of the gateway's address", ethernet(kToAllNodes, kTypeIpv6, solicitation(ip("::"), kGateway6))},
  };
  return all;
}

const std::vector<Frame>& goodFrames() {
  static const std::vector<Frame> all{
      {"IPv4", ethernet(kHop, kTypeIpv4, udp({kB4, kA4}, 4000, 4000))},
      {"IPv6", ethernet(kHop, kTypeIpv6, udp({kB6, kA6}, 4000, 4000))},
      {"link-local IPv6", ethernet(kHop, kTypeIpv6, udp({kLinkLocalOfB, kA6}, 4000, 4000))},
      {"ARP", ethernet(kToAll, kTypeArp, arp(1, kMacOfB, kB4, kA4))},
      {"gratuitous ARP", ethernet(kToAll, kTypeArp, arp(2, kMacOfB, kB4, kB4))},
      {"a solicitation", ethernet(kToAllNodes, kTypeIpv6, solicitation(kB6, kA6))},
      {"detection of its own address", ethernet(kToAllNodes, kTypeIpv6, solicitation(ip("::"), kB6))},
      {"an advertisement", ethernet(kToAllNodes, kTypeIpv6, advertisement(kB6, kMacOfB))},
      {"a DHCP client", ethernet(kToAll, kTypeIpv4, udp({kB4, ip("255.255.255.255")}, 68, 67))},
  };
  return all;
}

/// Frames keep their order on a bridge: what has not come before the one that may pass does not come.
bool arrives(const RawPort& from, const RawPort& to, const Bytes& frame) {
  static std::uint16_t number = 5000;
  const Bytes last = ethernet(kHop, kTypeIpv4, udp({kB4, kA4}, ++number, 4000));
  from.send(frame);
  to.send(
      ethernet({kMacOfA, kMacOfB}, kTypeArp, arp(2, kMacOfA, kA4, kA4)));  // the bridge may have mislearned its port
  from.send(last);
  const auto seen = to.seenUntil(last);
  REQUIRE(std::ranges::any_of(seen, [&](const Bytes& one) { return isSame(one, last); }));
  return std::ranges::any_of(seen, [&](const Bytes& one) { return isSame(one, frame); });
}

/// With bridged packets passing the IP layer's rules or not, which must not matter.
void inTopologies(const std::string& members, const std::function<void(Topology& topology)>& work) {
  for (const std::string bridged : {"0", "1"}) {
    CAPTURE(bridged);
    inTopology([&](Topology& topology) {
      outputOf({"sh", "-ec", "echo " + bridged + " | tee /proc/sys/net/bridge/bridge-nf-call-ip*tables"});
      topology.members = members;
      topology.attachBoth();
      work(topology);
    });
  }
}

}  // namespace

TEST_CASE("No forged frame leaves a container's port, and honest ones do") {
  inTopologies("", [](Topology&) {
    const RawPort attacker{pathOf("b"), "eth0"};
    const RawPort victim{pathOf("a"), "eth0"};
    for (const Frame& frame : attacks()) CHECK_MESSAGE(!arrives(attacker, victim, frame.bytes), frame.what);
    for (const Frame& frame : goodFrames()) CHECK_MESSAGE(arrives(attacker, victim, frame.bytes), frame.what);
  });
}

TEST_CASE("A guarded port without entries is closed, so that neither ADD nor DEL has an unguarded moment") {
  inTopologies("", [](Topology&) {
    const RawPort container{pathOf("b"), "eth0"};
    const RawPort neighbour{pathOf("a"), "eth0"};
    for (const char* set : {"macs", "senders4", "senders6", "targets", "target_macs"}) {
      outputOf({"nft", "flush", "set", "bridge", "pons", set});
    }
    for (const Frame& frame : goodFrames()) container.send(frame.bytes);
    const auto seen = neighbour.seenUntil({});
    for (const Frame& frame : goodFrames()) {
      CHECK_MESSAGE(std::ranges::none_of(seen, [&](const Bytes& one) { return isSame(one, frame.bytes); }), frame.what);
    }
    outputOf({PONSCTL_BINARY, "repair"});
    for (const Frame& frame : goodFrames()) CHECK_MESSAGE(arrives(container, neighbour, frame.bytes), frame.what);
  });
}

TEST_CASE("Without the guard these frames arrive: it is the guard that stops them") {
  inTopologies(R"(, "macspoofchk": false)", [](Topology&) {
    const RawPort attacker{pathOf("b"), "eth0"};
    const RawPort victim{pathOf("a"), "eth0"};
    int arrived = 0;
    for (const Frame& frame : attacks()) arrived += arrives(attacker, victim, frame.bytes) ? 1 : 0;
    // The kernel itself drops what says to come from nowhere or from the bridge, and splits what is tagged.
    CHECK(arrived >= static_cast<int>(attacks().size()) - 6);
  });
}

TEST_CASE("macspoofchk alone lets any address pass with the right MAC") {
  inTopologies(R"(, "ipSpoofCheck": false)", [](Topology&) {
    const RawPort attacker{pathOf("b"), "eth0"};
    const RawPort victim{pathOf("a"), "eth0"};
    CHECK(arrives(attacker, victim, ethernet(kHop, kTypeIpv4, udp({ip("10.42.0.99"), kA4}, 4000, 4000))));
    CHECK_FALSE(arrives(attacker, victim, ethernet({kForeignMac, kMacOfA}, kTypeIpv4, udp({kB4, kA4}, 4000, 4000))));
  });
}

TEST_CASE("A container that changes its MAC or IP address reaches no destination, whatever its own rules are") {
  inTopologies("", [](Topology& topology) {
    const auto toNeighbour = [](Family family) {
      return ask(pathOf("b"), Transport::Tcp, endpoint(addressesOf(family).a, kContainerPort),
                 {.source = {}, .timeout = std::chrono::milliseconds{500}});
    };
    REQUIRE(toNeighbour(Family::Ipv4) == "a 10.42.0.11");
    outputOf({"ip", "netns", "exec", "b", "nft", "flush", "ruleset"});
    SUBCASE("MAC") {
      outputOf({"ip", "-n", "b", "link", "set", "eth0", "address", "0a:58:0a:2a:00:63"});
      outputOf({"ip", "-n", "b", "neigh", "flush", "all"});
      CHECK_FALSE(toNeighbour(Family::Ipv4));
      CHECK_FALSE(toNeighbour(Family::Ipv6));
    }
    SUBCASE("address") {
      outputOf({"ip", "-n", "b", "addr", "add", "10.42.0.99/24", "dev", "eth0"});
      const AskOptions fromForged{.source = endpoint("10.42.0.99", 6000), .timeout = std::chrono::milliseconds{500}};
      CHECK_FALSE(ask(pathOf("b"), Transport::Tcp, endpoint("10.42.0.10", kContainerPort), fromForged));
      CHECK(toNeighbour(Family::Ipv4) == "a 10.42.0.11");
    }
    topology.del("b");
    topology.del("a");
  });
}

TEST_CASE("Where its network has no IPv6, a policy leaves a container none to its neighbours either") {
  inTopology([](Topology& topology) {
    for (const std::string container : {"a", "b"}) {
      topology.host.addNamespace(container);
      const std::vector<std::string> environment{"CNI_COMMAND=ADD", "CNI_CONTAINERID=" + container,
                                                 "CNI_NETNS=" + pathOf(container), "CNI_IFNAME=eth0", "CNI_PATH=/"};
      const std::string config = R"({"cniVersion": "1.1.0", "name": "topology", "type": "pons",
          "ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": {"allowedCidrs": ["0.0.0.0/0", "::/0"]},
          "runtimeConfig": {"ips": [")" +
                                 (container == "a" ? kA4 : kB4).toString() + R"("]}})";
      const Outcome added = run({PONS_BINARY}, {.environment = environment, .input = config});
      REQUIRE_MESSAGE(added.ok(), added.out);
    }
    const RawPort attacker{pathOf("b"), "eth0"};
    const RawPort victim{pathOf("a"), "eth0"};
    for (const Frame& frame : goodFrames()) {
      const bool isIpv6 = frame.bytes.at(12) == 0x86;
      CHECK_MESSAGE(arrives(attacker, victim, frame.bytes) == !isIpv6, frame.what);
    }
  });
}
