// The seven paths of a packet to, from and between containers, in IPv4 and IPv6, by TCP and UDP, and with
// bridge-nf-call-iptables off and on.
#include <doctest/doctest.h>

#include "tests/runtime/topology.h"

using namespace support;
using netlib::Family;

TEST_CASE("Path 1: from outside to a published port, which sees the true source") {
  forEachWay([](Topology& topology, const Way& way) {
    CHECK(ask(topology.outside, way.transport, endpoint(way.addresses.host, kHostPort)) ==
          "a " + way.addresses.outside);
  });
}

TEST_CASE("Path 2: from the host to a port published on its own addresses") {
  forEachWay([](Topology&, const Way& way) {
    for (const std::string& own : {way.addresses.host, way.addresses.gateway}) {
      CAPTURE(own);
      CHECK(ask(kHere, way.transport, endpoint(own, kHostPort)) == "a " + own);
    }
  });
}

TEST_CASE("Path 3: from the host to 127.0.0.1, source address is the gateway") {
  forEachWay([](Topology&, const Way& way) {
    // ::1 is not published: IPv6 has no route_localnet.
    if (way.addresses.family == Family::Ipv6) return;
    CHECK(ask(kHere, way.transport, endpoint("127.0.0.1", kHostPort)) == "a " + way.addresses.gateway);
  });
}

TEST_CASE("Path 4: from another container to a port published on the host's addresses") {
  forEachWay([](Topology&, const Way& way) {
    for (const std::string& ofHost : {way.addresses.host, way.addresses.gateway}) {
      CAPTURE(ofHost);
      CHECK(ask(pathOf("b"), way.transport, endpoint(ofHost, kHostPort)) == "a " + way.addresses.gateway);
    }
  });
}

TEST_CASE("Path 5: from a container to its own published port (hairpin)") {
  forEachWay([](Topology&, const Way& way) {
    for (const std::string& ofHost : {way.addresses.host, way.addresses.gateway}) {
      CAPTURE(ofHost);
      CHECK(ask(pathOf("a"), way.transport, endpoint(ofHost, kHostPort)) == "a " + way.addresses.gateway);
    }
  });
}

TEST_CASE("Path 6: between containers of a network without address translation") {
  forEachWay([](Topology&, const Way& way) {
    CHECK(ask(pathOf("b"), way.transport, endpoint(way.addresses.a, kContainerPort)) == "a " + way.addresses.b);
  });
}

TEST_CASE("Path 7: from a container to the outside, which sees the host") {
  forEachWay([](Topology& topology, const Way& way) {
    const Endpoint web = endpoint(way.addresses.outside, 443);
    const Server server{topology.outside, way.transport, web, "web"};
    CHECK(ask(pathOf("b"), way.transport, web) == "web " + way.addresses.host);
  });
}
