#include "netlib/conntrack.h"

#include <doctest/doctest.h>
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

struct Flows {
  Socket socket = Socket::open(Socket::Subsystem::Netfilter).value();

  std::vector<conntrack::Flow> of(const conntrack::Filter& filter) {
    const auto flows = conntrack::list(socket, filter);
    REQUIRE(flows.ok());
    return *flows;
  }
};

}  // namespace

TEST_CASE("Flows are found by what is asked for, and deleted one by one, in both families") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  trackAll();
  struct Side {
    Family family;
    const char* here;
    const char* there;
  };
  for (const Side& side :
       {Side{Family::Ipv4, "192.0.2.1", "192.0.2.2"}, {Family::Ipv6, "2001:db8:1::1", "2001:db8:1::2"}}) {
    CAPTURE(side.here);
    Flows flows;
    const Server dns{outside, Transport::Udp, endpoint(side.there, 53), "dns"};
    const Server ntp{outside, Transport::Udp, endpoint(side.there, 123), "ntp"};
    const Server web{outside, Transport::Tcp, endpoint(side.there, 53), "web"};
    REQUIRE(ask(kHere, Transport::Udp, endpoint(side.there, 53)));
    REQUIRE(ask(kHere, Transport::Udp, endpoint(side.there, 53)));
    REQUIRE(ask(kHere, Transport::Udp, endpoint(side.there, 123)));
    REQUIRE(ask(kHere, Transport::Tcp, endpoint(side.there, 53)));

    const conntrack::Filter udp53{.family = side.family, .protocol = IPPROTO_UDP, .originalDestinationPort = 53};
    CHECK(flows.of(udp53).size() == 2);
    CHECK(flows.of({.family = side.family, .protocol = IPPROTO_UDP}).size() == 3);
    CHECK(flows.of({.family = side.family, .protocol = IPPROTO_TCP, .originalDestinationPort = 53}).size() == 1);
    CHECK(flows.of({.family = side.family, .originalSource = ip(side.here)}).size() == 4);
    CHECK(flows.of({.family = side.family, .originalSource = ip(side.there)}).empty());
    CHECK(flows.of({.family = side.family, .replySource = ip(side.there)}).size() == 4);
    CHECK(flows.of({.family = side.family, .replySource = ip(side.here)}).empty());
    CHECK(flows.of({.family = side.family, .protocol = IPPROTO_UDP, .originalDestinationPort = 54}).empty());

    const auto stale = flows.of(udp53);
    for (const auto& flow : stale) {
      CHECK(flow.originalDestination == ip(side.there));
      CHECK(flow.replySource == ip(side.there));
    }
    REQUIRE(conntrack::remove(flows.socket, side.family, stale).ok());
    CHECK(flows.of(udp53).empty());
    CHECK(flows.of({.family = side.family, .replySource = ip(side.there)}).size() == 2);
    // Gone already is fine.
    CHECK(conntrack::remove(flows.socket, side.family, stale).ok());
    CHECK(conntrack::remove(flows.socket, side.family, {}).ok());
  }
}

TEST_CASE("A flow that began anew under the same addresses is not the one that was listed") {
  REQUIRE_FAKE_HOST(host);
  const std::string outside = host.addOutside();
  trackAll();
  Flows flows;
  const Server dns{outside, Transport::Udp, endpoint("192.0.2.2", 53), "dns"};
  const AskOptions fixed{.source = endpoint("192.0.2.1", 4000)};
  const conntrack::Filter all{.family = Family::Ipv4, .protocol = IPPROTO_UDP};
  REQUIRE(ask(kHere, Transport::Udp, endpoint("192.0.2.2", 53), fixed));
  const auto old = flows.of(all);
  REQUIRE(old.size() == 1);
  REQUIRE(conntrack::remove(flows.socket, Family::Ipv4, old).ok());
  REQUIRE(ask(kHere, Transport::Udp, endpoint("192.0.2.2", 53), fixed));
  REQUIRE(flows.of(all).size() == 1);
  if (flows.of(all).front().id == old.front().id) return;  // the kernel may give the same memory, and so id, again
  CHECK(conntrack::remove(flows.socket, Family::Ipv4, old).ok());
  CHECK(flows.of(all).size() == 1);
}
