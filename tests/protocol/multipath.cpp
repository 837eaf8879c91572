// Routes with several gateways (ECMP), in the kernel, in results and in CHECK.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::json::Document;
using pons::test::config;

namespace {

struct Multipath {
  std::string routes;  ///< "ipam.routes"
  std::string destination;
  std::vector<std::string> gateways;
};

std::string routeTo(const std::string& destination) {
  return outputOf(
      {"ip", "-n", "c1", contains(destination, ":") ? "-6" : "-4", "route", "show", "table", "all", destination});
}

bool hasGateways(const std::string& shown, const std::vector<std::string>& gateways) {
  return std::ranges::all_of(gateways,
                             [&](const auto& one) { return contains(shown, "nexthop via " + one + " dev eth0"); });
}

}  // namespace

TEST_CASE("Several gateways of one destination are one multipath route, and CHECK misses each of them") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string ranges = R"("ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]])";
  const std::vector<Multipath> cases{
      {R"({"dst": "0.0.0.0/0"}, {"dst": "0.0.0.0/0", "gw": "10.42.0.7"})", "default", {"10.42.0.1", "10.42.0.7"}},
      {R"({"dst": "0.0.0.0/0", "gw": "10.42.0.8", "mtu": 1400}, {"dst": "::/0"},
          {"dst": "0.0.0.0/0", "gw": "10.42.0.7", "mtu": 1400}, {"dst": "0.0.0.0/0", "gw": "10.42.0.6", "mtu": 1400})",
       "default",
       {"10.42.0.8", "10.42.0.7", "10.42.0.6"}},
      {R"({"dst": "10.9.0.0/16", "gw": "10.42.0.7", "table": 100, "priority": 5},
          {"dst": "10.9.0.0/16", "gw": "10.42.0.8", "table": 100, "priority": 5})",
       "10.9.0.0/16",
       {"10.42.0.7", "10.42.0.8"}},
      {R"({"dst": "fd99::/64", "gw": "fd42::9"}, {"dst": "10.9.0.0/16"}, {"dst": "fd99::/64", "gw": "fd42::7"},
          {"dst": "fd99::/64"})",
       "fd99::/64",
       {"fd42::9", "fd42::7", "fd42::1"}},
  };
  for (const Multipath& each : cases) {
    for (const char* version : {"1.1.0", "1.0.0", "0.4.0"}) {
      CAPTURE(each.routes);
      CAPTURE(version);
      REQUIRE_FAKE_HOST(host);
      host.addNamespace("c1");
      const std::string network = configOf(version, R"("ipam": {)" + ranges + R"(, "routes": [)" + each.routes + "]}");
      const Unchanged unchanged{host};
      const Outcome attached = add(network);
      const Document result = resultOf(attached);
      const std::string shown = routeTo(each.destination);
      CHECK_MESSAGE(hasGateways(shown, each.gateways), shown);
      const std::size_t wanted = static_cast<std::size_t>(std::ranges::count(each.routes, '{'));
      CHECK(result["routes"].items().size() >= wanted);
      checkSilent(check(withPrevious(network, attached.out)));

      for (const std::string& missing : each.gateways) {
        CAPTURE(missing);
        std::vector<std::string> others = each.gateways;
        std::erase(others, missing);
        // The route of the others alone.
        std::string changed = contains(shown, "table 100") ? " table 100" : "";
        if (contains(shown, "metric 5")) changed += " metric 5";
        std::string hops;
        for (const std::string& other : others) hops += " nexthop via " + other + " dev eth0";
        const std::string ip = std::string{"ip -n c1 "} + (contains(missing, ":") ? "-6" : "-4") + " route ";
        shell(ip + "del " + each.destination + changed + " && " + ip + "add " + each.destination + changed + hops);
        checkError(check(withPrevious(network, attached.out)), ErrorCode::CheckFailed, {"route to ", missing});
        shell(ip + "del " + each.destination + changed + " && " + ip + "add " + each.destination + changed + hops +
              " nexthop via " + missing + " dev eth0");
        checkSilent(check(withPrevious(network, attached.out)));
      }
      checkSilent(del(network));
    }
  }
}

TEST_CASE("A gateway that a later plugin has removed from the result is no longer checked") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = config(R"("ipam": {"subnet": "10.42.0.0/24", "routes": [
      {"dst": "10.9.0.0/16", "gw": "10.42.0.7"}, {"dst": "10.9.0.0/16", "gw": "10.42.0.8"}]})");
  const Outcome attached = add(network);
  resultOf(attached);
  shell("ip -n c1 route del 10.9.0.0/16 && ip -n c1 route add 10.9.0.0/16 via 10.42.0.8");
  checkError(check(withPrevious(network, attached.out)), ErrorCode::CheckFailed, {"10.42.0.7"});
  std::string fewer = attached.out;
  const auto gone = fewer.find(R"("10.42.0.7")");
  REQUIRE(gone != std::string::npos);
  fewer.replace(gone, 11, R"("10.42.0.8")");
  checkSilent(check(withPrevious(network, fewer)));
}
