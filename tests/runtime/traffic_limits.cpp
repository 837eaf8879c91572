// What must not be translated, reached or served: the data path's weaknesses of the seed.
#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/json/json.h"

#include "tests/runtime/town.h"

using namespace support;
using netlib::Family;

namespace {

// A network behind the host whose packets only pass through: 198.51.100.2 and 2001:db8:2::2, which the outside knows.
std::string addLan(Town& town) {
  const std::string lan = town.host.addNamespace("lan");
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

// To that namespace 127.0.0.1 is a host beyond this router: what an attacker with root in his namespace can do.
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

TEST_CASE("W1: another host's same port is reached, by containers, by the publisher itself and in transit") {
  forEachWay([](Town& town, const Way& way) {
    const Endpoint external = endpoint(way.addresses.outside, kHostPort);
    const Server server{town.outside, way.transport, external, "external"};
    for (const char* container : {"a", "b"}) {
      CHECK(ask(pathOf(container), way.transport, external) == "external " + way.addresses.host);
    }
    CHECK(ask(kHere, way.transport, external) == "external " + way.addresses.host);
  });
  inTown([](Town& town) {
    town.attachBoth();
    const std::string lan = addLan(town);
    town.serve(town.outside, kHostPort, "external");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(lan, transport, endpoint("192.0.2.2", kHostPort)) == "external 198.51.100.2");
      CHECK(ask(lan, transport, endpoint("2001:db8:1::2", kHostPort)) == "external 2001:db8:2::2");
    }
  });
}

TEST_CASE("W3: what listens on the host's 127.0.0.1 is out of a container's reach") {
  inTown([](Town& town) {
    town.attachBoth();
    town.serveAt(kHere, endpoint("127.0.0.1", 9000), "secret");
    lookForLoopbackAt(town.host, pathOf("b"), "10.42.0.1");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(!reached(pathOf("b"), transport, endpoint("127.0.0.1", 9000)));
      CHECK(!reached(pathOf("b"), transport, endpoint("127.0.0.1", kHostPort)));
    }
    // The attack works where nothing stops it: else the checks above would say nothing.
    outputOf({"nft", "flush", "chain", "ip", "pons", "guard"});
    CHECK(ask(pathOf("b"), Transport::Tcp, endpoint("127.0.0.1", 9000)) == "secret 10.42.0.11");
  });
}

TEST_CASE("W3: a port published on 127.0.0.1 is served to the host alone") {
  inTown([](Town& town) {
    town.serve(town.attach("a", publishing("127.0.0.1")), kContainerPort, "a");
    lookForLoopbackAt(town.host, town.outside, "192.0.2.1");
    for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
      CHECK(ask(kHere, transport, endpoint("127.0.0.1", kHostPort)) == "a 10.42.0.1");
      CHECK(!reached(kHere, transport, endpoint("192.0.2.1", kHostPort)));
      CHECK(!reached(town.outside, transport, endpoint("192.0.2.1", kHostPort)));
      CHECK(!reached(town.outside, transport, endpoint("127.0.0.1", kHostPort)));
    }
  });
}

TEST_CASE("A port published on one address of the host is served on that address only") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    inTown([&](Town& town) {
      const Addresses& addresses = addressesOf(family);
      town.serve(town.attach("a", publishing(addresses.host)), kContainerPort, "a");
      for (const Transport transport : {Transport::Tcp, Transport::Udp}) {
        CHECK(ask(town.outside, transport, endpoint(addresses.host, kHostPort)) == "a " + addresses.outside);
        CHECK(!reached(kHere, transport, endpoint(addresses.gateway, kHostPort)));
        const Addresses& other = addressesOf(family == Family::Ipv4 ? Family::Ipv6 : Family::Ipv4);
        CHECK(!reached(town.outside, transport, endpoint(other.host, kHostPort)));
      }
    });
  }
}

TEST_CASE("W4: excluded destinations see the container's own address") {
  inTown([](Town& town) {
    town.members = R"(, "ipMasqExclude": ["192.0.2.0/24", "2001:db8:1::/64"])";
    town.attachBoth();
    outputOf({"ip", "-n", "outside", "route", "add", "10.42.0.0/24", "via", "192.0.2.1"});
    outputOf({"ip", "-n", "outside", "route", "add", "fd00:42::/64", "via", "2001:db8:1::1"});
    town.serve(town.outside, 443, "web");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.b);
      CHECK(ask(pathOf("b"), Transport::Udp, endpoint(addresses.outside, 443)) == "web " + addresses.b);
    }
  });
}

TEST_CASE("W4: multicast keeps its source") {
  inTown([](Town& town) {
    town.attachBoth();
    for (const auto& [group, family] : {std::pair{"239.1.2.3", Family::Ipv4}, {"ff15::1234", Family::Ipv6}}) {
      CHECK(!reached(pathOf("b"), Transport::Udp, endpoint(group, 5000)));
      const std::string flow =
          outputOf({"conntrack", "-L", "-f", family == Family::Ipv4 ? "ipv4" : "ipv6", "-d", group});
      CHECK_MESSAGE(flow.find("src=" + std::string{group} + " dst=" + addressesOf(family).b) != std::string::npos,
                    flow);
    }
  });
}

TEST_CASE("W7: a host port has one owner, whom the refusal names") {
  inTown([](Town& town) {
    const std::string addresses = ipsOf("10.42.0.10", "fd00:42::10");
    for (const auto& [first, second] :
         {std::pair{"", ""}, {"", "192.0.2.1"}, {"192.0.2.1", ""}, {"192.0.2.1", "192.0.2.1"}, {"2001:db8:1::1", ""}}) {
      CAPTURE(first);
      CAPTURE(second);
      town.serve(town.attach("owner", addresses + ", " + publishing(first)), kContainerPort, "owner");
      town.host.addNamespace("late");
      const std::string before = town.host.dump();
      const Outcome refused = town.add("late", publishing(second));
      CHECK(refused.exitCode != 0);
      const auto answer = pons::json::Document::parse(refused.out);
      REQUIRE(answer.ok());
      CHECK((*answer)["code"].integer() == 7);
      CHECK(refused.out.find("owner") != std::string::npos);
      CHECK(town.host.dump() == before);
      town.servers.clear();
      town.del("owner");
      for (const char* name : {"owner", "late"}) town.host.removeNamespace(pathOf(name));
    }
    // Two addresses of one port are two ports.
    town.serve(town.attach("one", publishing("192.0.2.1")), kContainerPort, "one");
    town.serve(town.attach("two", publishing("127.0.0.1")), kContainerPort, "two");
    CHECK(ask(town.outside, Transport::Tcp, endpoint("192.0.2.1", kHostPort)) == "one 192.0.2.2");
    CHECK(ask(kHere, Transport::Tcp, endpoint("127.0.0.1", kHostPort)) == "two 10.42.0.1");
  });
}
