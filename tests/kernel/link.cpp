#include "netlib/rtnl/link.h"

#include <doctest/doctest.h>
#include <net/if.h>

#include "netlib/os/netns.h"

#include "tests/support/fake_host.h"
#include "tests/support/text.h"

using namespace support;
using netlib::Batch;
using netlib::IfName;
using netlib::MacAddress;
using netlib::Socket;

namespace {

IfName name(const char* text) { return IfName::parse(text).value(); }
MacAddress mac(const char* text) { return MacAddress::parse(text).value(); }
Socket open() { return Socket::open(Socket::Subsystem::Route).value(); }

const MacAddress kBridgeMac = mac("02:00:00:00:00:01");

netlib::link::NewBridge bridgeNamed(const char* text) { return {.name = name(text), .mac = kBridgeMac}; }

// A container's namespace, a bridge, and what is needed for a veth between them.
struct VethBench {
  FakeHost& fake;
  netlib::Netns container;
  Socket route = open();
  unsigned bridge;

  explicit VethBench(FakeHost& host) : fake(host), container(netlib::Netns::open(host.addNamespace("c1")).value()) {
    REQUIRE(netlib::link::createBridge(route, bridgeNamed("br0")).ok());
    bridge = netlib::link::find(route, name("br0"))->index;
  }

  netlib::link::NewVeth veth(const char* hostName = "v0", const char* peerName = "eth0") const {
    return {.hostName = name(hostName),
            .hostMac = mac("02:00:00:00:00:02"),
            .alias = "pons demo c1 eth0",
            .group = 7,
            .master = bridge,
            .port = {.hairpin = true, .isolated = true},
            .peerName = name(peerName),
            .peerMac = mac("02:00:00:00:00:03"),
            .peerNetns = container.fd(),
            .mtu = 1400};
  }
};

}  // namespace

TEST_CASE("A bridge is created up with its MAC, takes an alias, and is found by name, index and kind") {
  REQUIRE_FAKE_HOST(host);
  Socket route = open();
  CHECK(netlib::link::find(route, name("br0")).failedWith(ENODEV));
  REQUIRE(netlib::link::createBridge(route, bridgeNamed("br0")).ok());
  REQUIRE(netlib::link::setAlias(route, name("br0"), "pons bridge").ok());
  const auto found = netlib::link::find(route, name("br0"));
  REQUIRE(found.ok());
  CHECK(found->name == "br0");
  CHECK(found->kind == "bridge");
  CHECK(found->alias == "pons bridge");
  CHECK(found->mac == kBridgeMac);
  CHECK(found->up());
  CHECK(!found->promiscuous());
  CHECK(found->master == 0);
  CHECK(netlib::link::find(route, found->index)->name == "br0");
  const auto bridges = netlib::link::ofKind(route, "bridge").value();
  REQUIRE(bridges.size() == 1);
  CHECK(bridges.front().index == found->index);
  CHECK(netlib::link::ofKind(route, "vxlan").value().empty());
  REQUIRE(netlib::link::remove(route, name("br0")).ok());
  CHECK(netlib::link::remove(route, name("br0")).failedWith(ENODEV));
  CHECK(netlib::link::find(route, 4711).failedWith(ENODEV));
}

TEST_CASE("Creating a bridge with an existing name fails with EEXIST, and the existing link keeps its alias") {
  REQUIRE_FAKE_HOST(host);
  outputOf({"ip", "link", "add", "br0", "type", "veth", "peer", "name", "br1"});
  outputOf({"ip", "link", "set", "br0", "alias", "mine"});
  const std::string before = host.dump();
  Socket route = open();
  const auto created = netlib::link::createBridge(route, bridgeNamed("br0"));
  REQUIRE(created.failedWith(EEXIST));
  CHECK(created.error().message.find("br0") != std::string::npos);
  CHECK(host.dump() == before);
}

TEST_CASE("A bridge refused by the kernel is not created") {
  REQUIRE_FAKE_HOST(host);
  const std::string before = host.dump();
  Socket route = open();
  auto wrong = bridgeNamed("br0");
  wrong.mac = mac("01:00:00:00:00:01");  // multicast
  CHECK(netlib::link::createBridge(route, wrong).failedWith(EADDRNOTAVAIL));
  CHECK(host.dump() == before);
}

TEST_CASE("Support for a link kind is detected without creating a link") {
  REQUIRE_FAKE_HOST(host);
  const std::string before = host.dump();
  Socket route = open();
  for (const char* kind : {"bridge", "veth", "ifb"}) CHECK(netlib::link::probe(route, kind).ok());
  CHECK(netlib::link::probe(route, "nosuch").failedWith(EOPNOTSUPP));
  CHECK(host.dump() == before);
}

TEST_CASE("A veth is created with both ends configured, one of them up as bridge port") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  CHECK(netlib::link::find(bench.route, name("br0"))->mtu == 1500);
  const auto created = netlib::link::createVeth(bench.route, bench.veth());
  REQUIRE(created.ok());
  REQUIRE(created->bridge);
  CHECK(created->bridge->name == "br0");
  CHECK(created->bridge->index == bench.bridge);
  CHECK(created->bridge->mac == kBridgeMac);
  CHECK(created->bridge->mtu == 1400);  // of its smallest port
  const auto found = netlib::link::find(bench.route, name("v0")).value();
  CHECK(found.kind == "veth");
  CHECK(found.alias == "pons demo c1 eth0");
  CHECK(found.mac == mac("02:00:00:00:00:02"));
  CHECK(found.mtu == 1400);
  CHECK(found.group == 7);
  CHECK(found.up());
  CHECK(found.master == bench.bridge);
  CHECK(found.hairpin);
  CHECK(found.isolated);
  const std::string shown = outputOf({"ip", "-d", "link", "show", "v0"});
  for (const char* part : {"addrgenmode none", "numtxqueues 1 ", "numrxqueues 1 "}) {
    CHECK_MESSAGE(shown.find(part) != std::string::npos, part);
  }
  const auto ports = netlib::link::portsOf(bench.route, bench.bridge).value();
  REQUIRE(ports.size() == 1);
  CHECK(ports.front().name == "v0");

  Socket inside = bench.container.inside([] { return Socket::open(Socket::Subsystem::Route); }).value();
  const auto peer = netlib::link::find(inside, name("eth0")).value();
  CHECK(peer.mac == mac("02:00:00:00:00:03"));
  CHECK(peer.mtu == 1400);
  CHECK(!peer.up());
  if (created->peerIndex) CHECK(created->peerIndex == peer.index);

  CHECK(peer.group == 0);
  CHECK(outputOf({"ip", "-n", "c1", "-d", "link", "show", "eth0"}).find("numrxqueues 1 ") != std::string::npos);

  REQUIRE(netlib::link::remove(bench.route, name("v0")).ok());
  CHECK(netlib::link::find(inside, name("eth0")).failedWith(ENODEV));
  CHECK(netlib::link::portsOf(bench.route, bench.bridge).value().empty());
}

TEST_CASE("A settled port forwards, and has neither an address nor a route of IPv6") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  const auto created = netlib::link::createVeth(bench.route, bench.veth()).value();
  if (created.index) CHECK(created.index == netlib::link::find(bench.route, name("v0"))->index);
  outputOf({"ip", "-n", "c1", "link", "set", "eth0", "up"});
  CHECK(netlib::link::settlePort(bench.route, name("v0"), std::nullopt).ok());
  const auto routes = [] { return outputOf({"ip", "-6", "route", "show", "table", "all", "dev", "v0"}); };
  if (!created.index || routes().empty()) return FakeHost::countSkip("needs Linux 6.8, see settlePort()");
  CHECK(contains(outputOf({"bridge", "link", "show", "dev", "v0"}), "state forwarding"));
  CHECK(outputOf({"ip", "-6", "address", "show", "dev", "v0"}) == "");
  CHECK(netlib::link::settlePort(bench.route, name("v0"), created.index).ok());
  CHECK(routes() == "");
  CHECK(netlib::link::settlePort(bench.route, name("v0"), created.index).ok());
  CHECK(netlib::link::settlePort(bench.route, name("v9"), created.index).failedWith(ENODEV));
}

TEST_CASE("The bridge of a new port is described where its MTU may have changed") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  const auto mtuAfter = [&](std::uint32_t mtu, const char* hostName, const char* peerName) {
    auto veth = bench.veth(hostName, peerName);
    veth.masterMtu = netlib::link::find(bench.route, name("br0"))->mtu;
    veth.mtu = mtu;
    const auto created = netlib::link::createVeth(bench.route, veth).value();
    const std::uint32_t now = netlib::link::find(bench.route, name("br0"))->mtu;
    CHECK((created.bridge ? created.bridge->mtu : veth.masterMtu) == now);
    CHECK(created.bridge.has_value() == (veth.masterMtu != (mtu == 0 ? 1500 : mtu)));
    return now;
  };
  CHECK(mtuAfter(0, "v0", "eth0") == 1500);
  CHECK(mtuAfter(1500, "v1", "eth1") == 1500);
  CHECK(mtuAfter(1400, "v2", "eth2") == 1400);
  CHECK(mtuAfter(9000, "v3", "eth3") == 1400);
  CHECK(mtuAfter(1400, "v4", "eth4") == 1400);
  outputOf({"ip", "link", "set", "br0", "mtu", "1300"});
  CHECK(mtuAfter(1400, "v5", "eth5") == 1300);
  CHECK(mtuAfter(1300, "v6", "eth6") == 1300);
}

TEST_CASE("A port's group, bridge and flags can be set again") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  REQUIRE(netlib::link::createVeth(bench.route, bench.veth()).ok());
  outputOf({"ip", "link", "set", "v0", "nomaster", "down", "group", "0"});
  const unsigned index = netlib::link::find(bench.route, name("v0"))->index;
  Batch batch;
  netlib::link::appendSetGroup(batch, index, 8);
  netlib::link::appendSetMaster(batch, index, bench.bridge);
  netlib::link::appendSetUp(batch, index);
  netlib::link::appendSetPort(batch, index, {.hairpin = false, .isolated = true});
  REQUIRE(bench.route.request(batch).ok());
  const auto found = netlib::link::find(bench.route, index).value();
  CHECK(found.group == 8);
  CHECK(found.master == bench.bridge);
  CHECK(found.up());
  CHECK(!found.hairpin);
  CHECK(found.isolated);
}

TEST_CASE("A veth is created completely or not at all") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  const auto leavesNothing = [&](const netlib::link::NewVeth& veth, int code) {
    const std::string before = host.dump() + host.inside("/run/netns/c1", [] { return dumpNetwork(); });
    const auto created = netlib::link::createVeth(bench.route, veth);
    CHECK(created.failedWith(code));
    CHECK(host.dump() + host.inside("/run/netns/c1", [] { return dumpNetwork(); }) == before);
  };
  SUBCASE("the peer's name is taken") {
    outputOf({"ip", "-n", "c1", "link", "add", "eth0", "type", "bridge"});
    leavesNothing(bench.veth(), EEXIST);
  }
  SUBCASE("the host's name is taken") {
    for (const char* kind : {"bridge", "veth peer name other"}) {
      outputOf({"sh", "-c", std::string{"ip link add v0 type "} + kind});
      leavesNothing(bench.veth(), EEXIST);
      outputOf({"ip", "link", "del", "v0"});
    }
  }
  SUBCASE("the second request fails: the alias is too long") {
    auto veth = bench.veth();
    veth.alias = std::string(300, 'x');
    const std::string before = host.dump();
    CHECK(!netlib::link::createVeth(bench.route, veth).ok());
    CHECK(host.dump() == before);
  }
  SUBCASE("the bridge is not there") {
    auto veth = bench.veth();
    veth.master = 4711;
    leavesNothing(veth, EINVAL);
  }
  SUBCASE("the MTU is too large") {
    auto veth = bench.veth();
    veth.mtu = 70'000;
    leavesNothing(veth, EINVAL);
  }
  SUBCASE("the descriptor is no namespace") {
    auto veth = bench.veth();
    veth.peerNetns = 0;
    const std::string before = host.dump();
    CHECK(!netlib::link::createVeth(bench.route, veth).ok());
    CHECK(host.dump() == before);
  }
}

TEST_CASE("A batch sets up, MTU and MAC of one link, and says which request failed") {
  REQUIRE_FAKE_HOST(host);
  outputOf({"ip", "link", "add", "br0", "type", "bridge"});
  Socket route = open();
  const unsigned index = netlib::link::find(route, name("br0"))->index;
  Batch batch;
  netlib::link::appendSetUp(batch, index);
  netlib::link::appendSetMtu(batch, index, 1300);
  netlib::link::appendSetMac(batch, index, kBridgeMac);
  netlib::link::appendSetFlags(batch, index, IFF_PROMISC, IFF_PROMISC);
  REQUIRE(route.request(batch).ok());
  const auto found = netlib::link::find(route, index).value();
  CHECK(found.up());
  CHECK(found.mtu == 1300);
  CHECK(found.mac == kBridgeMac);
  CHECK(found.promiscuous());

  Batch wrong;
  netlib::link::appendSetUp(wrong, index);
  netlib::link::appendSetMtu(wrong, 4711, 1300);
  const auto failed = route.request(wrong);
  REQUIRE(failed.failedWith(ENODEV));
  CHECK(failed.error().message.find("MTU of link 4711") != std::string::npos);
}

TEST_CASE("The host's end of a container's veth is found, and never that of another with equal indexes") {
  REQUIRE_FAKE_HOST(host);
  VethBench bench{host};
  REQUIRE(netlib::link::createVeth(bench.route, bench.veth()).ok());
  // A third namespace, with a veth to the container whose ends have the indexes of the one above.
  const std::string third = host.addNamespace("third");
  const auto end = netlib::link::find(bench.route, name("v0"));
  outputOf({"ip", "-n", "third", "link", "add", "v0", "index", std::to_string(end->index), "type", "veth", "peer",
            "name", "eth1", "netns", "c1"});

  Socket inside = host.inside("/run/netns/c1", open);
  const auto eth0 = netlib::link::find(inside, name("eth0"));
  const auto found = netlib::link::findPeer(bench.route, bench.container.fd(), *eth0);
  REQUIRE(found.ok());
  CHECK(found->name == "v0");

  const auto eth1 = netlib::link::find(inside, name("eth1"));
  CHECK(eth1->peer == end->index);
  CHECK(netlib::link::findPeer(bench.route, bench.container.fd(), *eth1).failedWith(netlib::Cause::Missing));
  const auto loopback = netlib::link::find(inside, name("lo"));
  CHECK(netlib::link::findPeer(bench.route, bench.container.fd(), *loopback).failedWith(netlib::Cause::Missing));
}
