// The plugins are exchanged while containers run: pons in the place of the reference plugins, and back again.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/compat/reference.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const std::string kOldPorts = R"({"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]})";
const std::string kNewPorts = R"({"portMappings": [{"hostPort": 8081, "containerPort": 80, "protocol": "tcp"}]})";

/// The whole life of both kinds of containers: the old ones attached before the exchange, the new ones after it.
struct Exchange {
  Side side;
  Conflist list = conflist("takeover.conflist");
  Attached older;
  Attached newer;

  Exchange(const std::string& before, const std::string& after) : side(before) {
    side.configure(list);
    side.capabilities = kOldPorts;
    older = side.attach(list, "older");
    side.install(after);
    side.capabilities = kNewPorts;
    newer = side.attach(list, "newer");
  }

  void del(const Attached& attached) {
    side.capabilities = attached.netns == older.netns ? kOldPorts : kNewPorts;
    const Outcome gone = side.call("del", list, fs::path{attached.netns}.filename());
    REQUIRE_MESSAGE(gone.ok(), gone.err);
    CHECK(outputOf({"ip", "-n", fs::path{attached.netns}.filename(), "link"}).find("eth0") == std::string::npos);
  }

  /// Ways in and out of one of them, and to the other where there is one.
  void checkTraffic(const Attached& attached, std::uint16_t port, const Attached* neighbour) const {
    CAPTURE(attached.netns);
    const Server web{attached.netns, Transport::Tcp, endpoint("0.0.0.0", 80), "web"};
    const Server far{side.outside, Transport::Tcp, endpoint("192.0.2.2", 443), "far"};
    CHECK(ask(attached.netns, Transport::Tcp, endpoint("192.0.2.2", 443)) == "far 192.0.2.1");
    CHECK(ask(side.outside, Transport::Tcp, endpoint("192.0.2.1", port)) == "web 192.0.2.2");
    if (!neighbour) return;
    const std::string& address = attached.addresses.at(0);
    CHECK(ask(neighbour->netns, Transport::Tcp, endpoint(address, 80)) == "web " + neighbour->addresses.at(0));
  }
};

bool isLeased(const Attached& attached) {
  return fs::exists("/var/lib/cni/networks/takeover/" + attached.addresses.at(0));
}

std::string ponsTables() {
  std::string found;
  for (const char* family : {"ip", "ip6"}) found += run({"nft", "list", "table", family, "pons"}).out;
  return found;
}

}  // namespace

TEST_CASE("containers of the reference plugins keep working after a switch to pons, and their DEL leaves nothing") {
  if (!canCompare() || ourPlugins() == kReferencePlugins) return FakeHost::countSkip();
  Exchange exchange{kReferencePlugins, ourPlugins()};
  const auto unrecorded = unrecordedOf(exchange.list, exchange.older, "cni0");
  REQUIRE(about(rules("nft"), unrecorded, exchange.older) != "");
  REQUIRE(isLeased(exchange.older));
  REQUIRE(exchange.newer.addresses.at(0) != exchange.older.addresses.at(0));
  exchange.checkTraffic(exchange.older, 8080, &exchange.newer);
  exchange.checkTraffic(exchange.newer, 8081, &exchange.older);

  exchange.del(exchange.older);
  CHECK(about(rules("nft"), unrecorded, exchange.older) == "");
  CHECK_FALSE(isLeased(exchange.older));
  exchange.checkTraffic(exchange.newer, 8081, nullptr);

  exchange.del(exchange.newer);
  CHECK(about(rules("nft"), unrecordedOf(exchange.list, exchange.newer, "cni0"), exchange.newer) == "");
  CHECK_FALSE(isLeased(exchange.newer));
  CHECK(ponsTables() == "");
  CHECK(links().find("veth") == std::string::npos);
  CHECK(links().find(" pons") == std::string::npos);
}

TEST_CASE("containers of pons keep working after a switch to the reference plugins, and GC removes the orphans") {
  if (!canCompare() || ourPlugins() == kReferencePlugins) return FakeHost::countSkip();
  Exchange exchange{ourPlugins(), kReferencePlugins};
  REQUIRE(exchange.newer.addresses.at(0) != exchange.older.addresses.at(0));
  exchange.checkTraffic(exchange.older, 8080, &exchange.newer);
  exchange.checkTraffic(exchange.newer, 8081, &exchange.older);

  // DEL of the reference removes the address file and the interface, but not ports, masquerade and records.
  // While the namespace is there its bridge insists on a masquerade chain of its own, and fails.
  exchange.side.host.endNamespace(exchange.older.netns);
  const Outcome gone = exchange.side.call("del", exchange.list, "older");
  CHECK_MESSAGE(gone.ok(), gone.err);
  CHECK_FALSE(isLeased(exchange.older));
  CHECK(ponsTables() != "");
  exchange.checkTraffic(exchange.newer, 8081, nullptr);

  for (const char* plugin : {"tuning", "firewall", "portmap", "bandwidth", "bridge"}) {
    const Outcome collected = exchange.side.collect(ourPlugins(), plugin, exchange.list);
    CHECK_MESSAGE(collected.ok(), collected.out);
  }
  CHECK(ponsTables() == "");
  exchange.checkTraffic(exchange.newer, 8081, nullptr);
  exchange.del(exchange.newer);
}
