#include "netlib/filter/conntrack.h"

#include <array>
#include <tuple>

#include <doctest/doctest.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"
#include "tests/support/traffic.h"

using namespace support;
using netlib::Family;
using netlib::Socket;
namespace conntrack = netlib::conntrack;

namespace {

// Connections are tracked where a rule looks at their state.
void trackAll() {
  for (const std::string family : {"ip", "ip6"}) {
    outputOf({"nft", "add table " + family + " t; add chain " + family +
                         " t c { type filter hook output priority 0; }; add rule " + family +
                         " t c ct state new accept"});
  }
}

// Tracked connections of a family, counted by a dump without any filter.
std::size_t count(Socket& netfilter, Family family) {
  nfgenmsg header{};
  header.nfgen_family = static_cast<std::uint8_t>(family);
  netlib::Batch batch;
  batch.begin(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NLM_F_DUMP | NLM_F_ACK, header, "count");
  const auto answers = netfilter.request(batch);
  REQUIRE(answers.ok());
  return answers->front().messages.size();
}

const char* farAwayOf(Family family) { return family == Family::Ipv4 ? "198.51.100.1" : "2001:db8:9::1"; }

// An entry of UDP from `source` to that port far away, in that conntrack zone.
void insert(const std::string& source, int port, int zone = 0) {
  const std::string to = farAwayOf(ip(source).family());
  outputOf({"conntrack", "-I", "-p", "udp", "-s", source, "-d", to, "--sport", "1000", "--dport", std::to_string(port),
            "-t", "600", "-w", std::to_string(zone)});
}

struct Side {
  Family family;
  const char* here;
  const char* there;
};

}  // namespace

TEST_CASE("Flows that match what is asked for are deleted and no others, in both families") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  trackAll();
  Socket netfilter = Socket::open(Socket::Subsystem::Netfilter).value();
  for (const Side& side :
       {Side{Family::Ipv4, "192.0.2.1", "192.0.2.2"}, {Family::Ipv6, "2001:db8:1::1", "2001:db8:1::2"}}) {
    const std::string here = side.here;
    CAPTURE(here);
    const Server dns{outside, Transport::Udp, endpoint(side.there, 53), "dns"};
    const Server ntp{outside, Transport::Udp, endpoint(side.there, 123), "ntp"};
    const Server web{outside, Transport::Tcp, endpoint(side.there, 53), "web"};
    for (int i = 0; i < 2; ++i) REQUIRE(ask(kHere, Transport::Udp, endpoint(side.there, 53)));
    REQUIRE(ask(kHere, Transport::Udp, endpoint(side.there, 123)));
    REQUIRE(ask(kHere, Transport::Tcp, endpoint(side.there, 53)));

    const auto left = [&](const conntrack::Filter& filter) {
      const auto removed = conntrack::remove(netfilter, std::array{filter});
      CHECK_MESSAGE(removed.ok(), (removed ? "" : removed.error().message));
      return count(netfilter, side.family);
    };
    const auto from = ip(side.here);
    const auto to = ip(side.there);
    REQUIRE(count(netfilter, side.family) == 4);
    CHECK(left({.family = side.family, .originalSource = to}) == 4);
    CHECK(left({.family = side.family, .replySource = from}) == 4);
    CHECK(left({.family = side.family, .originalSource = from, .replySource = from}) == 4);
    CHECK(left({.family = side.family, .replySource = to}) == 0);
    CHECK(left({.family = side.family, .originalSource = from}) == 0);  // gone already is fine
    CHECK(conntrack::remove(netfilter, {}).ok());
  }
}

TEST_CASE("Flows are deleted one by one, of every zone, where the kernel does not delete by a filter") {
  REQUIRE_FAKE_HOST(host);
  trackAll();
  Socket netfilter = Socket::open(Socket::Subsystem::Netfilter).value();
  for (const auto& [family, ours, theirs] :
       {std::tuple{Family::Ipv4, "10.42.0.2", "10.42.0.3"}, {Family::Ipv6, "fd42::2", "fd42::3"}}) {
    CAPTURE(ours);
    const auto remove = [&, wanted = family](const std::vector<conntrack::Filter>& filters) {
      const auto removed = conntrack::removeListed(netfilter, wanted, filters);
      CHECK_MESSAGE(removed.ok(), (removed ? "" : removed.error().message));
      return count(netfilter, wanted);
    };
    const conntrack::Filter from{.family = family, .originalSource = ip(ours)};
    const conntrack::Filter to{.family = family, .replySource = ip(ours)};
    CHECK(remove({from, to}) == 0);  // an empty table
    for (int port = 1; port <= 3; ++port) {
      insert(ours, port);
      insert(theirs, port);
    }
    insert(ours, 1, 7);
    REQUIRE(count(netfilter, family) == 7);
    CHECK(remove({to}) == 7);
    CHECK(remove({from, to}) == 3);
    CHECK(remove({to, from}) == 3);
    // Only flows of ours are left: none that would show whether the kernel selects.
    insert(ours, 1);
    CHECK(remove({{.family = family, .originalSource = ip(theirs)}}) == 1);
    CHECK(remove({to, from}) == 0);
    insert(theirs, 9);
    insert(ours, 8);
    const auto reply = conntrack::Filter{
        .family = family, .replySource = ip(farAwayOf(family)), .ports = conntrack::Filter::Ports{IPPROTO_UDP, 9, 9}};
    CHECK(remove({reply}) == 1);
    CHECK(remove({from}) == 0);
  }
}

TEST_CASE("A thousand flows of a container are deleted, and those of its neighbours stay") {
  REQUIRE_FAKE_HOST(host);
  host.addOutside();
  outputOf({"ip", "addr", "add", "192.0.2.8/24", "dev", "uplink"});
  outputOf({"ip", "addr", "add", "2001:db8:1::8/64", "dev", "uplink", "nodad"});
  trackAll();
  Socket netfilter = Socket::open(Socket::Subsystem::Netfilter).value();
  for (const bool isIpv4 : {true, false}) {
    const Family family = isIpv4 ? Family::Ipv4 : Family::Ipv6;
    const std::string to = isIpv4 ? "192.0.2.2" : "2001:db8:1::2";
    for (int i = 0; i < 1200; ++i) {
      const std::string source = isIpv4 ? (i % 6 == 0 ? "192.0.2.8" : "192.0.2.1")  //
                                        : (i % 6 == 0 ? "2001:db8:1::8" : "2001:db8:1::1");
      const auto from = endpoint(source, static_cast<std::uint16_t>(20'000 + i));
      static_cast<void>(
          ask(kHere, Transport::Udp, endpoint(to, 53), {.source = from, .timeout = std::chrono::milliseconds{0}}));
    }
    REQUIRE(count(netfilter, family) == 1200);
    const conntrack::Filter ours{.family = family, .originalSource = ip(isIpv4 ? "192.0.2.1" : "2001:db8:1::1")};
    for (int round = 0; round < 2; ++round) {
      CHECK(conntrack::removeListed(netfilter, family, std::array{ours}).ok());
      CHECK(count(netfilter, family) == 200);
    }
  }
}
