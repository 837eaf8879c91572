#include "netlib/filter/conntrack.h"

#include <array>

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
