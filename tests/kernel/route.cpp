#include "netlib/rtnl/route.h"

#include <algorithm>

#include <doctest/doctest.h>
#include <linux/rtnetlink.h>

#include "netlib/rtnl/link.h"

#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"

using namespace support;
using netlib::Batch;
using netlib::Family;
using netlib::Socket;
namespace route = netlib::route;

namespace {

struct RouteBench {
  Socket socket = Socket::open(Socket::Subsystem::Route).value();
  unsigned index;

  explicit RouteBench(FakeHost& host) {
    host.addOutside();
    index = netlib::link::find(socket, netlib::IfName::parse("uplink").value())->index;
  }
  route::NextHop via(const std::string& gateway) const { return {.gateway = ip(gateway), .linkIndex = index}; }
  route::NextHop direct() const { return {.linkIndex = index}; }
  netlib::Result<> add(const route::Route& wanted) {
    Batch batch;
    route::appendAdd(batch, wanted);
    TRY(socket.request(batch));
    return {};
  }
  std::optional<route::Route> find(const netlib::IpPrefix& destination) {
    for (const auto& each : route::list(socket, destination.family(), index).value()) {
      if (each.destination == destination) return each;
    }
    return std::nullopt;
  }
};

}  // namespace

TEST_CASE("Routes are added and listed with all attributes") {
  REQUIRE_FAKE_HOST(host);
  RouteBench bench{host};
  const route::Route wanted[] = {
      {.destination = prefix("10.9.0.0/16"), .nextHops = {bench.via("192.0.2.2")}},
      {.destination = prefix("10.8.0.0/16"), .nextHops = {bench.direct()}},
      {.destination = prefix("10.7.0.0/16"),
       .nextHops = {bench.via("192.0.2.2")},
       .table = 1000,
       .metric = 7,
       .mtu = 1300,
       .advmss = 1200},
      {.destination = prefix("2001:db8:9::/48"), .nextHops = {bench.via("2001:db8:1::2")}, .metric = 9},
      {.destination = prefix("2001:db8:8::/48"), .nextHops = {bench.direct()}, .mtu = 1400},
      {.destination = prefix("10.4.0.0/16"), .nextHops = {bench.via("192.0.2.4"), bench.via("192.0.2.3")}},
      {.destination = prefix("10.3.0.0/16"),
       .nextHops = {bench.via("192.0.2.5"), bench.direct(), bench.via("192.0.2.3")},
       .table = 1000,
       .metric = 8,
       .mtu = 1350},
      {.destination = prefix("2001:db8:7::/48"),
       .nextHops = {bench.via("2001:db8:1::4"), bench.via("2001:db8:1::3"), bench.via("2001:db8:1::2")},
       .metric = 10},
  };
  for (const auto& each : wanted) {
    CAPTURE(each.destination.toString());
    REQUIRE(bench.add(each).ok());
    CHECK(bench.add(each).failedWith(EEXIST));
    const auto found = bench.find(each.destination);
    REQUIRE(found);
    CHECK(found->nextHops == each.nextHops);
    CHECK(found->uses(bench.index));
    CHECK(!found->uses(bench.index + 1));
    CHECK(found->table == each.table);
    if (each.metric != 0) CHECK(found->metric == each.metric);
    CHECK(found->mtu == each.mtu);
    CHECK(found->advmss == each.advmss);
  }
}

TEST_CASE("A requested scope is kept; an unreachable gateway is ENETUNREACH; a missing link is an error") {
  REQUIRE_FAKE_HOST(host);
  RouteBench bench{host};
  REQUIRE(
      bench.add({.destination = prefix("10.6.0.0/16"), .nextHops = {bench.direct()}, .scope = RT_SCOPE_UNIVERSE}).ok());
  CHECK(bench.find(prefix("10.6.0.0/16"))->scope == RT_SCOPE_UNIVERSE);
  const auto unreachable = bench.add({.destination = prefix("10.5.0.0/16"), .nextHops = {bench.via("203.0.113.1")}});
  REQUIRE(unreachable.failedWith(ENETUNREACH));
  CHECK(unreachable.error().message.find("10.5.0.0/16 via 203.0.113.1") != std::string::npos);
  const auto oneOfTwo =
      bench.add({.destination = prefix("10.5.0.0/16"), .nextHops = {bench.via("192.0.2.2"), bench.via("203.0.113.1")}});
  REQUIRE(!oneOfTwo.ok());
  CHECK(oneOfTwo.error().message.find("10.5.0.0/16 via 192.0.2.2, 203.0.113.1") != std::string::npos);
  CHECK(!bench.find(prefix("10.5.0.0/16")));
  CHECK(bench.add({.destination = prefix("10.5.0.0/16"), .nextHops = {{.linkIndex = 4711}}}).failedWith(ENODEV));
}

TEST_CASE("Each link with a default route is listed once") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = Socket::open(Socket::Subsystem::Route).value();
  CHECK(route::defaultLinks(socket).value().empty());
  RouteBench bench{host};
  CHECK(route::defaultLinks(socket).value() == std::vector<unsigned>{bench.index});
  outputOf({"ip", "link", "add", "br0", "up", "type", "bridge"});
  outputOf({"ip", "route", "add", "default", "dev", "br0", "table", "77"});
  CHECK(route::defaultLinks(socket).value().size() == 1);
  outputOf({"ip", "route", "add", "default", "dev", "br0", "metric", "9"});
  CHECK(route::defaultLinks(socket).value().size() == 2);
  outputOf({"ip", "route", "add", "unreachable", "default", "metric", "10"});
  outputOf({"ip", "-6", "route", "add", "unreachable", "default", "metric", "10000"});
  CHECK(route::defaultLinks(socket).value().size() == 2);
  outputOf({"ip", "route", "del", "default", "dev", "br0", "metric", "9"});
  outputOf({"ip", "route", "add", "default", "metric", "9", "nexthop", "dev", "br0", "nexthop", "via", "192.0.2.2"});
  CHECK(route::defaultLinks(socket).value().size() == 2);
}

TEST_CASE("A route that drops packets has no next hop, and is no route of any link") {
  REQUIRE_FAKE_HOST(host);
  RouteBench bench{host};
  for (const char* type : {"blackhole", "unreachable", "prohibit", "throw"}) {
    CAPTURE(type);
    for (const auto& [version, destination] : {std::pair{"-4", "203.0.113.0/24"}, {"-6", "2001:db8:5::/48"}}) {
      outputOf({"ip", version, "route", "add", type, destination});
      CHECK(!bench.find(prefix(destination)));
      const auto all = route::list(bench.socket, prefix(destination).family()).value();
      const auto found = std::ranges::find(all, prefix(destination), &route::Route::destination);
      REQUIRE(found != all.end());
      CHECK(found->nextHops.empty());
      outputOf({"ip", version, "route", "del", type, destination});
    }
  }
}

TEST_CASE("An address is local where the host holds it, and nowhere else") {
  REQUIRE_FAKE_HOST(host);
  RouteBench bench{host};
  for (const char* local : {"192.0.2.1", "127.0.0.1", "127.1.2.3", "192.0.2.255", "2001:db8:1::1", "::1"}) {
    CAPTURE(local);
    CHECK(route::isLocal(bench.socket, ip(local)).value());
  }
  outputOf({"ip", "route", "add", "blackhole", "203.0.113.0/24"});
  outputOf({"ip", "route", "add", "prohibit", "198.51.100.0/24"});
  outputOf({"ip", "route", "add", "unreachable", "198.18.0.0/24"});
  for (const char* foreign :
       {"192.0.2.2", "8.8.8.8", "203.0.113.1", "198.51.100.1", "198.18.0.1", "2001:db8:1::2", "2001:db8:ffff::1"}) {
    CAPTURE(foreign);
    CHECK(!route::isLocal(bench.socket, ip(foreign)).value());
  }
}

TEST_CASE("Without any route nothing is local but the loopback") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = Socket::open(Socket::Subsystem::Route).value();
  CHECK(!route::isLocal(socket, ip("8.8.8.8")).value());
  CHECK(!route::isLocal(socket, ip("2001:db8::1")).value());
}

TEST_CASE("An error has the reason that the kernel adds to its errno") {
  REQUIRE_FAKE_HOST(host);
  RouteBench bench{host};
  const auto added = bench.add({.destination = prefix("10.9.0.0/16"), .nextHops = {{.gateway = ip("198.51.100.1")}}});
  REQUIRE(!added.ok());
  CHECK(added.error().message.find("(Nexthop has invalid gateway") != std::string::npos);
}
