// What must not be translated, reached or served: the data path's weaknesses of the seed.
#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/json/json.h"

#include "tests/runtime/topology.h"

using namespace support;
using netlib::Family;

namespace {

// A network behind the host whose packets only pass through: 198.51.100.2 and 2001:db8:2::2, to which the outside has a
// route.
std::string addLan(Topology& topology) {
  const std::string lan = topology.host.addNamespace("lan");
  const std::vector<std::string> commands{
      "link add lan type veth peer name lan netns lan",
      "addr add 198.51.100.1/24 dev lan",
      "addr add 2001:db8:2::1/64 dev lan nodad",
      "link set lan up",
      "-n lan addr add 198.51.100.2/24 dev lan",
      "-n lan addr add 2001:db8:2::2/64 dev lan nodad",
      "-n lan link set lan up",
      "-n lan route add default via 198.51.100.1",
      "-n lan route add default via 2001:db8:2::1",
      "-n outside route add 198.51.100.0/24 via 192.0.2.1",
      "-n outside route add 2001:db8:2::/64 via 2001:db8:1::1",
  };
  for (const std::string& command : commands) outputOf({"sh", "-c", "ip " + command});
  return lan;
}

// Routes 127.0.0.1 to this host, as an attacker with root in the container's namespace can do.
void lookForLoopbackAt(const FakeHost& host, const std::string& place, const std::string& router) {
  host.inside(place, [&] {
    REQUIRE(netlib::sysctl::write("net/ipv4/conf/all/route_localnet", "1").ok());
    outputOf({"ip", "address", "del", "127.0.0.1/8", "dev", "lo"});
    outputOf({"ip", "route", "add", "127.0.0.1", "via", router});
  });
}

constexpr std::chrono::milliseconds kShort{200};

bool reached(const Place& from, Transport transport, const Endpoint& destination) {
  return ask(from, transport, destination, {.source = {}, .timeout = kShort}).has_value();
}

}  // namespace

TEST_CASE("The same port of another host is reached from containers, from the publisher itself and in transit") {
  forEachWay([](Topology& topology, const Way& way) {
    const Endpoint external = endpoint(way.addresses.outside, kHostPort);
    const Server server{topology.outside, way.transport, external, "external"};
    for (const char* container : {"a", "b"}) {
      CHECK(ask(pathOf(container), way.transport, external) == "external " + way.addresses.host);
    }
    CHECK(ask(kHere, way.transport, external) == "external " + way.addresses.host);
  });
  inTopology([](Topology& topology) {
    topology.attachBoth();
    const std::string lan = addLan(topology);
    topology.serve(topology.outside, kHostPort, "external");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(lan, transport, endpoint("192.0.2.2", kHostPort)) == "external 198.51.100.2");
      CHECK(ask(lan, transport, endpoint("2001:db8:1::2", kHostPort)) == "external 2001:db8:2::2");
    }
  });
}

TEST_CASE("A container does not reach services on the host's 127.0.0.1") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    topology.serveAt(kHere, endpoint("127.0.0.1", 9000), "secret");
    lookForLoopbackAt(topology.host, pathOf("b"), "10.42.0.1");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(!reached(pathOf("b"), transport, endpoint("127.0.0.1", 9000)));
      CHECK(!reached(pathOf("b"), transport, endpoint("127.0.0.1", kHostPort)));
    }
    // The attack works where nothing stops it: else the checks above would say nothing.
    outputOf({"nft", "flush", "chain", "ip", "pons", "martian_127"});
    CHECK(ask(pathOf("b"), Transport::Tcp, endpoint("127.0.0.1", 9000)) == "secret 10.42.0.11");
  });
}

TEST_CASE("A port published on 127.0.0.1 is reachable from the host only") {
  inTopology([](Topology& topology) {
    topology.serve(topology.attach("a", publishing("127.0.0.1")), kContainerPort, "a");
    lookForLoopbackAt(topology.host, topology.outside, "192.0.2.1");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(kHere, transport, endpoint("127.0.0.1", kHostPort)) == "a 10.42.0.1");
      CHECK(!reached(kHere, transport, endpoint("192.0.2.1", kHostPort)));
      CHECK(!reached(topology.outside, transport, endpoint("192.0.2.1", kHostPort)));
      CHECK(!reached(topology.outside, transport, endpoint("127.0.0.1", kHostPort)));
    }
  });
}

TEST_CASE("A port published on one address of the host is served on that address only") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    inTopology([&](Topology& topology) {
      const Addresses& addresses = addressesOf(family);
      topology.serve(topology.attach("a", publishing(addresses.host)), kContainerPort, "a");
      for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
        CHECK(ask(topology.outside, transport, endpoint(addresses.host, kHostPort)) == "a " + addresses.outside);
        CHECK(!reached(kHere, transport, endpoint(addresses.gateway, kHostPort)));
        const Addresses& other = addressesOf(family == Family::Ipv4 ? Family::Ipv6 : Family::Ipv4);
        CHECK(!reached(topology.outside, transport, endpoint(other.host, kHostPort)));
      }
    });
  }
}

TEST_CASE("Destinations exempt from masquerading see the container's own address") {
  inTopology([](Topology& topology) {
    topology.members = R"(, "ipMasqExclude": ["192.0.2.0/24", "2001:db8:1::/64"])";
    topology.attachBoth();
    outputOf({"ip", "-n", "outside", "route", "add", "10.42.0.0/24", "via", "192.0.2.1"});
    outputOf({"ip", "-n", "outside", "route", "add", "fd00:42::/64", "via", "2001:db8:1::1"});
    topology.serve(topology.outside, 443, "web");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.b);
      CHECK(ask(pathOf("b"), Transport::Udp, endpoint(addresses.outside, 443)) == "web " + addresses.b);
    }
  });
}

TEST_CASE("Multicast is not masqueraded") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    for (const auto& [group, family] : {std::pair{"239.1.2.3", Family::Ipv4}, {"ff15::1234", Family::Ipv6}}) {
      CHECK(!reached(pathOf("b"), Transport::Udp, endpoint(group, 5000)));
      const std::string flow =
          outputOf({"conntrack", "-L", "-f", family == Family::Ipv4 ? "ipv4" : "ipv6", "-d", group});
      CHECK_MESSAGE(flow.find("src=" + std::string{group} + " dst=" + addressesOf(family).b) != std::string::npos,
                    flow);
    }
  });
}

TEST_CASE("A host port has one owner, which the error names") {
  inTopology([](Topology& topology) {
    const std::string addresses = ipsOf("10.42.0.10", "fd00:42::10");
    for (const auto& [first, second] :
         {std::pair{"", ""}, {"", "192.0.2.1"}, {"192.0.2.1", ""}, {"192.0.2.1", "192.0.2.1"}, {"2001:db8:1::1", ""}}) {
      CAPTURE(first);
      CAPTURE(second);
      topology.serve(topology.attach("owner", addresses + ", " + publishing(first)), kContainerPort, "owner");
      topology.host.addNamespace("late");
      const std::string before = topology.host.dump();
      const Outcome refused = topology.add("late", publishing(second));
      CHECK(refused.exitCode != 0);
      const auto answer = pons::json::Document::parse(refused.out);
      REQUIRE(answer.ok());
      CHECK((*answer)["code"].integer() == 7);
      CHECK(refused.out.find("owner") != std::string::npos);
      CHECK(topology.host.dump() == before);
      topology.servers.clear();
      topology.del("owner");
      for (const char* name : {"owner", "late"}) topology.host.removeNamespace(pathOf(name));
    }
    // Two addresses of one port are two ports.
    topology.serve(topology.attach("one", publishing("192.0.2.1")), kContainerPort, "one");
    topology.serve(topology.attach("two", publishing("127.0.0.1")), kContainerPort, "two");
    CHECK(ask(topology.outside, Transport::Tcp, endpoint("192.0.2.1", kHostPort)) == "one 192.0.2.2");
    CHECK(ask(kHere, Transport::Tcp, endpoint("127.0.0.1", kHostPort)) == "two 10.42.0.1");
  });
}
