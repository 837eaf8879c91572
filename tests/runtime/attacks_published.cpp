// What hosts with a route to the containers, and containers of other bridges, reach of a network that allows published
// ports only, or nothing; and how what is denied is answered.
#include <algorithm>
#include <cerrno>

#include <doctest/doctest.h>
#include <netinet/in.h>

#include "tests/runtime/topology.h"
#include "tests/support/frames.h"

using namespace support;
using netlib::Family;

namespace {

constexpr std::chrono::milliseconds kShort{300};
const std::string kPublishedOnly = R"(, "publishedOnly": true)";
const std::string kSilent = R"(, "onDeny": "drop")";

void shell(const std::string& commands) { outputOf({"sh", "-ec", commands}); }

/// The outside is a neighbour with routes to both bridges. The host answers each denied packet: the kernel limits the
/// rate of ICMP errors to one address.
void prepare(const std::string& bridged) {
  shell("echo " + bridged +
        " | tee /proc/sys/net/bridge/bridge-nf-call-ip*tables;"
        "echo 0 | tee /proc/sys/net/ipv4/icmp_ratelimit /proc/sys/net/ipv6/icmp/ratelimit;"
        "for subnet in 10.42.0.0/24 10.43.0.0/24; do ip -n outside route add $subnet via 192.0.2.1; done;"
        "for subnet in fd00:42::/64 fd00:43::/64; do ip -n outside route add $subnet via 2001:db8:1::1; done");
}

void forEachWayIn(const std::function<void(const Way& way)>& work) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      INFO(netlib::nameOf(family), " ", transport == Transport::Tcp ? "TCP" : "UDP");
      work(Way{transport, addressesOf(family)});
    }
  }
}

std::string farOf(const Way& way) { return way.addresses.family == Family::Ipv4 ? "10.43.0.2" : "fd00:43::2"; }

/// Each with bridge-nf-call-iptables 0 and 1, which must not matter.
void inTopologies(const std::function<void(Topology& topology)>& work) {
  for (const std::string bridged : {"0", "1"}) {
    CAPTURE(bridged);
    inTopology([&](Topology& topology) {
      prepare(bridged);
      work(topology);
    });
  }
}

/// `error`: of errorOfAsking().
void checkAsked(int error, const Place& from, const Way& way, const std::string& to,
                std::uint16_t port = kContainerPort) {
  AskOptions options;
  if (error == ETIMEDOUT) options.timeout = kShort;
  CHECK(errorOfAsking(from, way.transport, endpoint(to, port), options) == error);
}

/// An ICMP error, or silence. TCP regards it if it does not come while connect() still sends: at its second packet.
int prohibited(const Way& way, bool silent) {
  if (silent) return ETIMEDOUT;
  return way.addresses.family == Family::Ipv4 ? EHOSTUNREACH : EACCES;
}

/// A TCP reset or an ICMP error, or silence.
int denied(const Way& way, bool silent) {
  return way.transport == Transport::Tcp && !silent ? ECONNREFUSED : prohibited(way, silent);
}

/// RFC 1071, of an even number of bytes.
std::uint16_t checksumOf(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

/// "host unreachable", about a packet of `ends` in the other direction.
Bytes icmpError(const Ends& ends) {
  const Bytes about = udp({ends.to, ends.from}, 4000, 4000);
  const Bytes body = Bytes(4) + about;
  return ipv4(ends, IPPROTO_ICMP, Bytes{3, 1} + big16(checksumOf(Bytes{3, 1, 0, 0} + body)) + body);
}

/// A segment with RST, of no connection.
Bytes tcpReset(const Ends& ends) {
  const Bytes header = big16(4000) + big16(80) + Bytes(8) + Bytes{0x50, 0x04} + Bytes(2);
  const Bytes pseudo = bytesOf(ends.from) + bytesOf(ends.to) + Bytes{0, IPPROTO_TCP} + big16(20);
  return ipv4(ends, IPPROTO_TCP, header + big16(checksumOf(pseudo + header + Bytes(4))) + Bytes(2));
}

/// How many packets of that protocol the host answers with.
std::ptrdiff_t answersTo(const RawPort& port, const Bytes& frame, std::uint8_t protocol) {
  constexpr std::size_t kProtocolAt = 14 + 9;
  port.send(frame);
  return std::ranges::count_if(port.seenUntil({}), [protocol](const Bytes& seen) {
    return seen.size() > kProtocolAt && seen[12] == 0x08 && seen[13] == 0x00 && seen[kProtocolAt] == protocol;
  });
}

}  // namespace

TEST_CASE("publishedOnly: hosts with a route and other bridges reach published ports, and nothing else") {
  for (const bool silent : {false, true}) {
    CAPTURE(silent);
    inTopologies([&](Topology& topology) {
      topology.members = kPublishedOnly + (silent ? kSilent : "");
      topology.serve(topology.outside, 443, "web");
      topology.attachBoth();
      topology.serve(pathOf("b"), kContainerPort, "b");
      const auto far = topology.attachElsewhere("far", "open");
      topology.serve(far, kContainerPort, "far");
      forEachWayIn([&](const Way& way) {
        const Addresses& who = way.addresses;
        for (const std::string& from : {topology.outside, far}) {
          CAPTURE(from);
          for (const std::string& to : {who.a, who.b}) checkAsked(denied(way, silent), from, way, to);
          // The published one is the host's; the container's own is a port like any other.
          checkAsked(denied(way, silent), from, way, who.a, kHostPort);
          CHECK(ask(from, way.transport, endpoint(who.host, kHostPort)));
        }
        CHECK(ask(topology.outside, way.transport, endpoint(who.host, kHostPort)) == "a " + who.outside);
        CHECK(ask(pathOf("b"), way.transport, endpoint(who.outside, 443)) == "web " + who.host);
        CHECK(ask(pathOf("b"), way.transport, endpoint(who.a, kContainerPort)) == "a " + who.b);
        CHECK(ask(pathOf("b"), way.transport, endpoint(who.host, kHostPort)) == "a " + who.gateway);
        CHECK(ask(kHere, way.transport, endpoint(who.b, kContainerPort)));
        CHECK(ask(topology.outside, way.transport, endpoint(farOf(way), kContainerPort)));
        CHECK(ask(pathOf("b"), way.transport, endpoint(farOf(way), kContainerPort)));
      });
    });
  }
}

TEST_CASE("publishedOnly: a datagram that is denied opens no way for the next one, a reply does") {
  inTopologies([&](Topology& topology) {
    topology.members = kPublishedOnly + kSilent;
    topology.attachBoth();
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& who = addressesOf(family);
      const AskOptions same{.source = endpoint(who.outside, 7000), .timeout = kShort};
      for (int i = 0; i < 3; ++i) {
        CHECK_FALSE(ask(topology.outside, Transport::Udp, endpoint(who.a, kContainerPort), same));
      }
      topology.serveAt(topology.outside, endpoint(who.outside, 7001), "web");
      const AskOptions back{.source = endpoint(who.b, 7002)};
      CHECK(ask(pathOf("b"), Transport::Udp, endpoint(who.outside, 7001), back));
    }
  });
}

TEST_CASE("publishedOnly of one of two containers holds for their bridge, in either order, until that one leaves") {
  for (const bool askerFirst : {true, false}) {
    CAPTURE(askerFirst);
    inTopologies([&](Topology& topology) {
      const auto attach = [&](const std::string& container) {
        const bool isAsker = container == "a";
        topology.members = isAsker ? kPublishedOnly : "";
        const Addresses &ipv4 = addressesOf(Family::Ipv4), &ipv6 = addressesOf(Family::Ipv6);
        topology.attach(container, isAsker ? ipsOf(ipv4.a, ipv6.a) : ipsOf(ipv4.b, ipv6.b));
      };
      const auto check = [&](bool reaches) {
        forEachWayIn([&](const Way& way) {
          checkAsked(reaches ? 0 : denied(way, false), topology.outside, way, way.addresses.b);
        });
      };
      attach(askerFirst ? "a" : "b");
      if (!askerFirst) {
        topology.serve(pathOf("b"), kContainerPort, "b");
        check(true);
      }
      attach(askerFirst ? "b" : "a");
      if (askerFirst) topology.serve(pathOf("b"), kContainerPort, "b");
      check(false);
      shell("nft flush ruleset");
      outputOf({PONSCTL_BINARY, "repair"});
      check(false);
      topology.del("a");
      topology.host.endNamespace(pathOf("a"));
      check(true);
      attach("a");
      check(false);
      for (const char* container : {"b", "a"}) topology.del(container);
    });
  }
}

TEST_CASE("One container that wants silence has it for the policies of its bridge, until it leaves") {
  inTopologies([&](Topology& topology) {
    topology.members = kPublishedOnly;
    topology.attachBoth();
    const auto check = [&](bool silent) {
      forEachWayIn([&](const Way& way) { checkAsked(denied(way, silent), topology.outside, way, way.addresses.a); });
    };
    check(false);
    topology.members = kPublishedOnly + kSilent;
    topology.attach("c", ipsOf("10.42.0.12", "fd00:42::12"));
    check(true);
    topology.del("c");
    check(false);
  });
}

TEST_CASE("Ingress policies reject at once, or drop, what they deny between bridges") {
  for (const bool silent : {false, true}) {
    CAPTURE(silent);
    inTopologies([&](Topology& topology) {
      topology.members = R"(, "ingressPolicy": "same-bridge")" + (silent ? kSilent : "");
      topology.attachBoth();
      const auto far = topology.attachElsewhere("far", "isolated");
      forEachWayIn([&](const Way& way) {
        checkAsked(denied(way, silent), far, way, way.addresses.a);
        checkAsked(denied(way, silent), pathOf("b"), way, farOf(way));
        CHECK(ask(far, way.transport, endpoint(way.addresses.host, kHostPort)));
      });
    });
  }
}

TEST_CASE("An internal network stays closed: no published port of another bridge, and no way in") {
  for (const bool silent : {false, true}) {
    CAPTURE(silent);
    inTopologies([&](Topology& topology) {
      topology.attachBoth();
      const std::string internal = R"(, "internal": true)" + (silent ? kSilent : std::string{});
      const auto far = topology.attachElsewhere("far", "open", internal);
      topology.serve(far, kContainerPort, "far");
      shell("ip -n far route add default via 10.43.0.1; ip -n far route add default via fd00:43::1");
      forEachWayIn([&](const Way& way) {
        const Addresses& who = way.addresses;
        checkAsked(prohibited(way, silent), far, way, who.host, kHostPort);
        checkAsked(denied(way, silent), far, way, who.a);
        checkAsked(denied(way, silent), topology.outside, way, farOf(way));
        checkAsked(denied(way, silent), pathOf("b"), way, farOf(way));
        CHECK(ask(kHere, way.transport, endpoint(farOf(way), kContainerPort)));
      });
    });
  }
}

TEST_CASE("No answer to an ICMP error, a reset, a broadcast frame, a multicast or a fragment") {
  inTopology([](Topology& topology) {
    prepare("0");
    topology.members = kPublishedOnly;
    topology.attachBoth();
    const auto ip = [](const std::string& text) { return netlib::IpAddress::parse(text).value(); };
    const Ends ends{ip("192.0.2.2"), ip(addressesOf(Family::Ipv4).a)};
    // So that the host knows the neighbour, to which the answers go.
    checkAsked(ECONNREFUSED, topology.outside, {Transport::Tcp, addressesOf(Family::Ipv4)}, ends.to.toString());
    const std::string text =
        outputOf({"sh", "-ec", "ip -o link show dev uplink | sed 's/.*ether \\([0-9a-f:]*\\).*/\\1/' | tr -d '\\n'"});
    const auto host = netlib::MacAddress::parse(text).value();
    const auto own = netlib::MacAddress::parse("02:00:00:00:00:02").value();
    const auto everybody = netlib::MacAddress::parse("ff:ff:ff:ff:ff:ff").value();
    const RawPort port{topology.outside, "uplink"};
    const Bytes datagram = udp(ends, 4000, 4000);
    CHECK(answersTo(port, ethernet({own, host}, kTypeIpv4, datagram), IPPROTO_ICMP) == 1);
    for (const auto& [what, frame] :
         {std::pair{"an ICMP error", ethernet({own, host}, kTypeIpv4, icmpError(ends))},
          {"a broadcast frame", ethernet({own, everybody}, kTypeIpv4, datagram)},
          {"a multicast", ethernet({own, host}, kTypeIpv4, udp({ends.from, ip("239.1.2.3")}, 4000, 4000))},
          {"a later fragment", ethernet({own, host}, kTypeIpv4, ipv4(ends, IPPROTO_UDP, Bytes(16), 8))}}) {
      CHECK_MESSAGE(answersTo(port, frame, IPPROTO_ICMP) == 0, what);
    }
    CHECK(answersTo(port, ethernet({own, host}, kTypeIpv4, tcpReset(ends)), IPPROTO_TCP) == 0);
  });
}
