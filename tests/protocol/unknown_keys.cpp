// Unknown keys are told in the log at ADD, and a whole configuration list is refused.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/support/log_lines.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

/// How often an unknown key is reported.
std::size_t warningsIn(const std::string& log) {
  std::size_t count = 0;
  for (std::size_t at = log.find("unknown key"); at != std::string::npos; at = log.find("unknown key", at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("An unknown key is reported once at ADD of each container, not at CHECK and DEL") {
  REQUIRE_FAKE_HOST(host);
  const std::string network = pons::test::config(
      R"("ipam": {"subnet": "10.42.0.0/24", "rangestrat": "10.42.0.9"}, "brige": "b0", "_note": "x")");
  for (const char* container : {"c1", "c2", "c3"}) {
    CAPTURE(container);
    host.addNamespace(container);
    const Outcome attached = add(network, subjectOf(container));
    resultOf(attached);
    CHECK(warningsIn(attached.err) == 2);
    CHECK(messagesIn(attached.err) == R"(unknown key "ipam.rangestrat": did you mean "ipam.rangeStart"?)"
                                      "\n"
                                      R"(unknown key "brige": did you mean "bridge"?)"
                                      "\n");
    CHECK(warningsIn(check(withPrevious(network, attached.out), subjectOf(container)).err) == 0);
  }
  for (const char* container : {"c2", "c3", "c1"}) CHECK(warningsIn(del(network, subjectOf(container)).err) == 0);
}

TEST_CASE("An unknown key because of which ipam gives no addresses is an error of ADD, and changes nothing") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  const std::string before = host.dump();
  for (const std::string& ipam : {std::string{R"({"subnett": "10.42.0.0/24"})"}, {R"({"range": [], "exclude": []})"}}) {
    CAPTURE(ipam);
    const std::string network = pons::test::config(R"("ipam": )" + ipam);
    checkError(add(network, subjectOf("c1")), ErrorCode::InvalidConfig, {"gives no addresses", "unknown key \"ipam."});
    CHECK(host.dump() == before);
    checkSilent(del(network, subjectOf("c1")));
  }
  resultOf(add(pons::test::config(R"("ipam": {})"), subjectOf("c2")));  // layer 2
  checkSilent(del(pons::test::config(R"("ipam": {})"), subjectOf("c2")));
}

TEST_CASE("An ADD that fails tells unknown keys as well; the level is the configuration's") {
  REQUIRE_FAKE_HOST(host);
  const std::string network = pons::test::configWithIpam(R"("snat": true)");
  const Outcome missing = add(network, subjectOf("missing"));
  CHECK(missing.exitCode == 1);
  CHECK(contains(messagesIn(missing.err), R"(unknown key "snat": it is a key of type "portmap")"));
  host.addNamespace("c1");
  const Outcome silent = add(pons::test::configWithIpam(R"("snat": true, "logLevel": "error")"));
  resultOf(silent);
  CHECK(silent.err.empty());
  checkSilent(del(network));
}

TEST_CASE("Each plugin of a chain tells its own unknown keys, and an IPAM plugin those of ipam") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  const std::string ipam =
      R"("ipam": {"type": "host-local", "dataDir": "/run/leases", "subnet": "10.42.0.0/24", "rangeStrat": "10.42.0.9"})";
  const std::vector<Link> links{{"bridge", ipam + R"(, "isGatway": true)"},
                                {"portmap", R"("capabilities": {"portMappings": true}, "snatt": true)"},
                                {"firewall", R"("ingressPolicies": "open")"},
                                {"bandwidth", R"("ingressRat": 8000)"},
                                {"tuning", R"("sysctls": {"net.core.somaxconn": "321"}, "dataDir": "/run/x")"}};
  const std::vector<std::size_t> expected{2, 1, 1, 1, 1};
  for (const char* container : {"c1", "c2"}) {
    host.addNamespace(container);
    std::string result;
    for (std::size_t i = 0; i < links.size(); ++i) {
      CAPTURE(links[i].plugin);
      const std::string config = links[i].config();
      const Outcome attached = Plugins::call(
          links[i].plugin, "ADD", result.empty() ? config : withPrevious(config, result), subjectOf(container));
      REQUIRE_MESSAGE(attached.ok(), attached.out);
      CHECK(warningsIn(attached.err) == expected[i]);
      result = attached.out;
    }
  }
  const Link foreign{
      "host-local",
      R"("master": "eth0", "ipam": {"type": "host-local", "dataDir": "/run/leases", "subnet": "10.43.0.0/24", "rangs": []})",
      "other"};
  const Outcome leased = Plugins::call("host-local", "ADD", foreign.config(), subjectOf("c3"));
  REQUIRE_MESSAGE(leased.ok(), leased.out);
  CHECK(warningsIn(leased.err) == 1);
  CHECK(contains(messagesIn(leased.err), R"(unknown key "ipam.rangs": did you mean "ipam.ranges"?)"));
  CHECK(warningsIn(Plugins::call("host-local", "DEL", foreign.config(), subjectOf("c3")).err) == 0);
}

TEST_CASE("A whole configuration list is refused by ADD and CHECK; DEL removes what is recorded and warns") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  const Unchanged unchanged{host};
  const std::string list =
      R"({"cniVersion": "1.0.0", "name": "demo", "plugins": [{"type": "pons", "ipam": {"subnet": "10.42.0.0/24"}}]})";
  checkError(add(list), ErrorCode::InvalidConfig, {"\"plugins\"", "one plugin", "cnitool"});
  checkError(check(list), ErrorCode::InvalidConfig, {"\"plugins\""});
  checkSilent(del(list));  // what a runtime does after a failed ADD
  for (const char* container : {"c1", "c2"}) resultOf(add(pons::test::configWithIpam(""), subjectOf(container)));
  for (const char* container : {"c2", "c1"}) {
    const Outcome deleted = del(list, subjectOf(container));
    CHECK(deleted.ok());
    CHECK(contains(messagesIn(deleted.err), "\"plugins\""));
  }
}
