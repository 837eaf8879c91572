// Traffic before, across and after the life of a container.
#include <doctest/doctest.h>

#include "plugin/json/json.h"

#include "tests/runtime/town.h"

using namespace support;
using netlib::Family;

namespace {

// One UDP flow: every question comes from the same source port.
std::optional<std::string> askAgain(const Place& from, const std::string& source, const std::string& destination) {
  return ask(from, Transport::Udp, endpoint(destination, kHostPort),
             {.source = endpoint(source, 4000), .timeout = std::chrono::milliseconds{3000}});
}

}  // namespace

TEST_CASE("W8: a UDP flow that began before the port was published is served by the container") {
  inTown([](Town& town) {
    town.attach("b", "");  // from now on the host tracks connections
    town.serve(kHere, kHostPort, "host");
    const Addresses* const families[] = {&addressesOf(Family::Ipv4), &addressesOf(Family::Ipv6)};
    for (const Addresses* of : families) {
      CHECK(askAgain(town.outside, of->outside, of->host) == "host " + of->outside);
      CHECK(askAgain(kHere, of->host, of->host) == "host " + of->host);
    }
    town.serve(town.attach("a", publishing()), kContainerPort, "a");
    for (const Addresses* of : families) {
      CHECK(askAgain(town.outside, of->outside, of->host) == "a " + of->outside);
      CHECK(askAgain(kHere, of->host, of->host) == "a " + of->host);
    }
  });
}

TEST_CASE("W8: a UDP flow that outlives its container does not reach the next one of that address") {
  inTown([](Town& town) {
    town.attachBoth();
    const Addresses* const families[] = {&addressesOf(Family::Ipv4), &addressesOf(Family::Ipv6)};
    for (const Addresses* of : families) {
      REQUIRE(askAgain(town.outside, of->outside, of->host) == "a " + of->outside);
      REQUIRE(askAgain(pathOf("b"), of->b, of->host) == "a " + of->gateway);
      REQUIRE(askAgain(kHere, of->host, of->host) == "a " + of->host);
    }
    town.del("a");
    for (const Addresses* of : families) CHECK(!askAgain(town.outside, of->outside, of->host));
    town.serve(town.attach("next", ipsOf(families[0]->a, families[1]->a)), kContainerPort, "next");
    for (const Addresses* of : families) {
      CHECK(!askAgain(town.outside, of->outside, of->host));
      CHECK(!askAgain(pathOf("b"), of->b, of->host));
      CHECK(!askAgain(kHere, of->host, of->host));
      CHECK(ask(pathOf("b"), Transport::Udp, endpoint(of->a, kContainerPort)) == "next " + of->b);
    }
  });
}

TEST_CASE("W10: a container's second DEL takes nothing from the others") {
  inTown([](Town& town) {
    town.attachBoth();
    town.serve(town.outside, 443, "web");
    town.attach("c", "");
    for (int i = 0; i < 3; ++i) town.del("c");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.host);
      CHECK(ask(town.outside, Transport::Tcp, endpoint(addresses.host, kHostPort)) == "a " + addresses.outside);
    }
  });
}

TEST_CASE("An ADD works after somebody flushed all rules") {
  inTown([](Town& town) {
    town.attachBoth();
    town.del("a");
    town.servers.clear();
    outputOf({"nft", "flush", "ruleset"});
    town.serve(town.attach("next", publishing()), kContainerPort, "next");
    town.serve(town.outside, 443, "web");
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
      const Addresses& addresses = addressesOf(family);
      CHECK(ask(town.outside, Transport::Tcp, endpoint(addresses.host, kHostPort)) == "next " + addresses.outside);
      // The network's masquerade is everybody's: it is back for the older containers, too.
      CHECK(ask(pathOf("b"), Transport::Tcp, endpoint(addresses.outside, 443)) == "web " + addresses.host);
    }
    CHECK(ask(kHere, Transport::Tcp, endpoint("127.0.0.1", kHostPort)) == "next 10.42.0.1");
    for (const char* container : {"b", "next"}) town.del(container);
    CHECK(outputOf({"nft", "list", "ruleset"}).empty());
  });
}

TEST_CASE("Requested MAC and addresses are those of the container, and the result tells them and the DNS") {
  inTown([](Town& town) {
    town.members = R"(, "dns": {"nameservers": ["10.42.0.1"], "search": ["example.test"]})";
    town.host.addNamespace("a");
    const Outcome added = town.add("a", ipsOf("10.42.0.77", "fd00:42::77") + R"(, "mac": "02:11:22:33:44:55")");
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
