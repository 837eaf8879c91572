// Traffic before, across and after the life of a container.
#include <doctest/doctest.h>

#include "plugin/json/json.h"

#include "tests/runtime/topology.h"

using namespace support;
using netlib::Family;

namespace {

// One UDP flow: every question comes from the same source port.
std::optional<std::string> askAgain(const Place& from, const std::string& source, const std::string& destination) {
  return ask(from, Transport::Udp, endpoint(destination, kHostPort),
             {.source = endpoint(source, 4000), .timeout = std::chrono::milliseconds{3000}});
}

}  // namespace

TEST_CASE("A UDP flow that began before the port was published reaches the container") {
  inTopology([](Topology& topology) {
    topology.attach("b", "");  // from now on the host tracks connections
    topology.serve(kHere, kHostPort, "host");
    const Addresses* const families[] = {&addressesOf(Family::Ipv4), &addressesOf(Family::Ipv6)};
    for (const Addresses* of : families) {
      CHECK(askAgain(topology.outside, of->outside, of->host) == "host " + of->outside);
      CHECK(askAgain(kHere, of->host, of->host) == "host " + of->host);
    }
    topology.serve(topology.attach("a", publishing()), kContainerPort, "a");
    for (const Addresses* of : families) {
      CHECK(askAgain(topology.outside, of->outside, of->host) == "a " + of->outside);
      CHECK(askAgain(kHere, of->host, of->host) == "a " + of->host);
    }
  });
}

TEST_CASE("A UDP flow that outlives its container does not reach the next container with that address") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    const Addresses* const families[] = {&addressesOf(Family::Ipv4), &addressesOf(Family::Ipv6)};
    for (const Addresses* of : families) {
      REQUIRE(askAgain(topology.outside, of->outside, of->host) == "a " + of->outside);
      REQUIRE(askAgain(pathOf("b"), of->b, of->host) == "a " + of->gateway);
      REQUIRE(askAgain(kHere, of->host, of->host) == "a " + of->host);
    }
    topology.del("a");
    for (const Addresses* of : families) CHECK(!askAgain(topology.outside, of->outside, of->host));
    topology.serve(topology.attach("next", ipsOf(families[0]->a, families[1]->a)), kContainerPort, "next");
    for (const Addresses* of : families) {
      CHECK(!askAgain(topology.outside, of->outside, of->host));
      CHECK(!askAgain(pathOf("b"), of->b, of->host));
      CHECK(!askAgain(kHere, of->host, of->host));
      CHECK(ask(pathOf("b"), Transport::Udp, endpoint(of->a, kContainerPort)) == "next " + of->b);
    }
  });
}

TEST_CASE("A container's second DEL removes nothing of the others") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    topology.serve(topology.outside, 443, "web");
    topology.attach("c", "");
    for (int i = 0; i < 3; ++i) topology.del("c");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.host);
      CHECK(ask(topology.outside, Transport::Tcp, endpoint(addresses.host, kHostPort)) == "a " + addresses.outside);
    }
  });
}

TEST_CASE("ADD works after a flush of the ruleset") {
  inTopology([](Topology& topology) {
    topology.attachBoth();
    topology.del("a");
    topology.servers.clear();
    outputOf({"nft", "flush", "ruleset"});
    topology.serve(topology.attach("next", publishing()), kContainerPort, "next");
    topology.serve(topology.outside, 443, "web");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(topology.outside, Transport::Tcp, endpoint(addresses.host, kHostPort)) == "next " + addresses.outside);
      // Masquerading is shared by the network: it is restored for the older containers, too.
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.host);
    }
    CHECK(ask(kHere, Transport::Tcp, endpoint("127.0.0.1", kHostPort)) == "next 10.42.0.1");
    for (const char* container : {"b", "next"}) topology.del(container);
    CHECK(outputOf({"nft", "list", "ruleset"}).empty());
  });
}

TEST_CASE("The container has the requested MAC and addresses, and the result has them and the DNS settings") {
  inTopology([](Topology& topology) {
    topology.members = R"(, "dns": {"nameservers": ["10.42.0.1"], "search": ["example.test"]})";
    topology.host.addNamespace("a");
    const Outcome added = topology.add("a", ipsOf("10.42.0.77", "fd00:42::77") + R"(, "mac": "02:11:22:33:44:55")");
    REQUIRE_MESSAGE(added.ok(), added.out);
    const auto result = pons::json::Document::parse(added.out);
    REQUIRE(result.ok());
    CHECK((*result)["ips"].items().at(0)["address"].string() == "10.42.0.77/24");
    CHECK((*result)["ips"].items().at(1)["address"].string() == "fd00:42::77/64");
    CHECK((*result)["interfaces"].items().at(2)["mac"].string() == "02:11:22:33:44:55");
    CHECK((*result)["dns"]["nameservers"].items().at(0).string() == "10.42.0.1");
    CHECK((*result)["dns"]["search"].items().at(0).string() == "example.test");
    const std::string link = outputOf({"ip", "-n", "a", "-d", "address", "show", "dev", "eth0"});
    for (const char* expected : {"02:11:22:33:44:55", "10.42.0.77/24", "fd00:42::77/64"}) {
      CHECK_MESSAGE(link.find(expected) != std::string::npos, link);
    }
  });
}
