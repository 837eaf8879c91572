// Packets that show where they end, and the neighbour table.
#include "netlib/os/probe.h"

#include <doctest/doctest.h>

#include "netlib/rtnl/link.h"
#include "netlib/rtnl/neighbour.h"

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"
#include "tests/support/traffic.h"

using namespace support;
using namespace std::chrono_literals;
using netlib::probe::End;
using Sent = netlib::probe::Outcome;

namespace {

// A lost neighbour advertisement on a busy machine is solicited again after one second.
constexpr auto kAnswer = 3000ms;
constexpr auto kSilence = 200ms;

Sent echo(const std::string& address, std::chrono::milliseconds timeout = kAnswer) {
  return netlib::probe::echo({.address = ip(address)}, timeout).value();
}
Sent tcp(const std::string& address, std::uint16_t port, std::chrono::milliseconds timeout = kAnswer) {
  return netlib::probe::connectTcp({.address = ip(address), .port = port}, timeout).value();
}
Sent dns(const std::string& address, std::chrono::milliseconds timeout = kAnswer) {
  return netlib::probe::queryDns({.address = ip(address), .port = 53}, timeout).value();
}

void nft(const std::string& place, const std::string& rules) {
  const Outcome set =
      run({"ip", "netns", "exec", place, "nft", "-f", "-"}, {.environment = std::nullopt, .input = rules});
  REQUIRE_MESSAGE(set.ok(), set.err);
}

const std::vector<std::string> kOutside{"192.0.2.2", "2001:db8:1::2"};

}  // namespace

TEST_CASE("Echo, TCP and DNS: answered, refused, and no answer") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  for (const std::string& address : kOutside) {
    CAPTURE(address);
    const Sent answered = echo(address);
    CHECK(answered.end == End::Answered);
    CHECK(answered.time > 0us);
    CHECK(tcp(address, 80).end == End::Refused);
    CHECK(dns(address).end == End::Refused);

    const Server server{outside, Transport::Tcp, endpoint(address, 80), "outside"};
    const DnsServer names{outside, address};
    CHECK(tcp(address, 80).end == End::Answered);
    CHECK(dns(address).end == End::Answered);
    CHECK(tcp(address, 81).end == End::Refused);
  }
  for (const std::string absent : {"192.0.2.99", "2001:db8:1::99"}) {
    CAPTURE(absent);
    CHECK(echo(absent, kSilence).end == End::NoAnswer);
    CHECK(tcp(absent, 80, kSilence).end == End::NoAnswer);
    CHECK(dns(absent, kSilence).end == End::NoAnswer);
  }
}

TEST_CASE("A datagram that is no DNS message of that number is no answer") {
  REQUIRE_FAKE_HOST(host);
  const Server chatter{host.addOutside(), Transport::Udp, endpoint("192.0.2.2", 53), "hello"};
  CHECK(dns("192.0.2.2", kSilence).end == End::NoAnswer);
}

TEST_CASE("An ICMP error has its sender and its reason") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  nft("outside",
      "table inet wall {\n chain in {\n  type filter hook input priority 0;\n"
      "  icmp type echo-request reject with icmp type host-unreachable\n"
      "  icmpv6 type echo-request reject with icmpv6 type admin-prohibited\n"
      "  meta nfproto ipv4 udp dport 53 reject with icmp type admin-prohibited\n"
      "  meta nfproto ipv4 tcp dport 80 reject with icmp type admin-prohibited\n }\n}\n");
  const std::vector<std::string> reasons{"host unreachable", "administratively prohibited"};
  for (std::size_t i = 0; i < kOutside.size(); ++i) {
    CAPTURE(kOutside[i]);
    const Sent outcome = echo(kOutside[i]);
    CHECK(outcome.end == End::Unreachable);
    CHECK(outcome.from == ip(kOutside[i]));
    CHECK(outcome.reason == reasons[i]);
  }
  const Sent query = dns("192.0.2.2");
  CHECK(query.end == End::Unreachable);
  CHECK(query.reason == "administratively prohibited");
  CHECK(tcp("192.0.2.2", 80).end == End::Unreachable);
}

TEST_CASE("What is not sent: no route, or a rule of this namespace's own") {
  REQUIRE_FAKE_HOST(host);
  CHECK(echo("192.0.2.2").end == End::NoRoute);
  CHECK(echo("2001:db8:1::2").end == End::NoRoute);
  CHECK(tcp("192.0.2.2", 80).end == End::NoRoute);
  CHECK(dns("192.0.2.2").end == End::NoRoute);
  host.addOutside();
  outputOf({"nft", "add table inet wall"});
  outputOf({"nft", "add chain inet wall out { type filter hook output priority 0; }"});
  outputOf({"nft", "add rule inet wall out ip daddr 192.0.2.2 drop"});
  const Sent outcome = echo("192.0.2.2");
  CHECK(outcome.end == End::NotSent);
  CHECK(outcome.reason == "Operation not permitted");
}

TEST_CASE("Packets leave through the link that is asked for") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  outputOf({"ip", "link", "add", "other", "type", "veth", "peer", "name", "peer"});
  for (const char* end : {"other", "peer"}) outputOf({"ip", "link", "set", end, "up"});
  outputOf({"ip", "addr", "add", "198.51.100.1/24", "dev", "other"});
  const auto through = [](const char* link, std::chrono::milliseconds timeout = kSilence) {
    return netlib::probe::echo({.address = ip("192.0.2.2"), .link = netlib::IfName::parse(link)}, timeout);
  };
  CHECK(through("other")->end != End::Answered);
  CHECK(through("uplink", kAnswer)->end == End::Answered);
  CHECK_FALSE(through("none").ok());
}

TEST_CASE("The neighbour table has the MAC address of who has answered, and none of who has not") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  auto socket = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
  const auto uplink = netlib::IfName::parse("uplink").value();
  const unsigned index = netlib::link::find(socket, uplink)->index;
  const auto mac = host.inside(outside, [&] {
    auto there = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
    return netlib::link::find(there, uplink)->mac;
  });
  REQUIRE(mac.has_value());
  const auto macOf = [&](const std::string& address, unsigned link) {
    return netlib::neighbour::macOf(socket, link, ip(address)).value();
  };
  for (const std::string& address : kOutside) {
    CAPTURE(address);
    REQUIRE(echo(address).end == End::Answered);
    CHECK(macOf(address, index) == mac);
    CHECK_FALSE(macOf(address, netlib::link::kLoopbackIndex));
  }
  for (const std::string absent : {"192.0.2.99", "2001:db8:1::99"}) {
    CAPTURE(absent);
    CHECK_FALSE(macOf(absent, index));
    echo(absent, kSilence);
    CHECK_FALSE(macOf(absent, index));
  }
}
