// The elements and rules of "allowFrom": they come with the first port that has it, and belong to its container alone.
#include "plugin/firewall/restricted_ports.h"

#include <doctest/doctest.h>

#include "plugin/firewall/table_transaction.h"

#include "tests/support/attachments.h"
#include "tests/support/differences.h"
#include "tests/support/runtime.h"
#include "tests/support/text.h"

using namespace support;
using netlib::Family;
namespace nft = netlib::nft;
namespace restricted = pons::restricted;
namespace tables = pons::tables;
using tables::Part;
using tables::TableFamily;

namespace {

const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

Runtime publishing(int hostPort, const std::string& more = {}) {
  return Runtime{demoConfig(kDual + R"(, "macspoofchk": false, "ipSpoofCheck": false, "portMappings": [{"hostPort": )" +
                            std::to_string(hostPort) + R"(, "containerPort": 80)" + more + "}]")};
}
const std::string kFromLan = R"(, "allowFrom": ["192.0.2.0/24"])";

void attach(const Runtime& runtime, const std::string& container) {
  const auto added = runtime.add(container);
  REQUIRE_MESSAGE(added.ok(), container << ": " << (added ? "" : added.error().message));
}

tables::Parts partsIn(TableFamily family) {
  pons::Host host = openHost();
  return tables::presentParts(host.netfilter, family).value();
}

pons::Attachment attachmentOf(const Runtime& runtime, const std::string& container) {
  pons::Host host = openHost();
  const auto record = host.ledger.snapshot(runtime.request(pons::cni::Verb::Add, container).key).value();
  REQUIRE(record);
  return record->attachment;
}

std::string faultsOf(const Runtime& runtime, const std::string& container) {
  pons::Host host = openHost();
  const pons::Attachment attachment = attachmentOf(runtime, container);
  std::string text;
  for (const auto& step : pons::planFor(attachment)) {
    if (!step->isInside()) text += differencesOf(*step, host);
  }
  return text;
}

std::size_t countOf(const char* set) {
  pons::Host host = openHost();
  return nft::listElements(host.netfilter, tables::tableOf(TableFamily::Ipv4), set).value().size();
}

}  // namespace

TEST_CASE("allowFrom costs a table of published ports nothing until a container has it, and goes with a rebuild") {
  for (const bool restrictedFirst : {false, true}) {
    CAPTURE(restrictedFirst);
    REQUIRE_FAKE_HOST(host);
    const Runtime open = publishing(8080);
    const Runtime limited = publishing(8443, kFromLan);
    const tables::Parts without{Part::SourceNat, Part::Ports};
    const tables::Parts with{Part::SourceNat, Part::Ports, Part::Reject, Part::RestrictedPorts};
    for (const char* container : {"open", "limited"}) host.addNamespace(container);
    if (restrictedFirst) attach(limited, "limited");
    attach(open, "open");
    // In both families: without a CIDR of IPv6 no client of IPv6 may connect.
    for (const auto family : {TableFamily::Ipv4, TableFamily::Ipv6}) {
      CHECK(partsIn(family) == (restrictedFirst ? with : without));
    }
    if (!restrictedFirst) attach(limited, "limited");
    for (const auto family : {TableFamily::Ipv4, TableFamily::Ipv6}) CHECK(partsIn(family) == with);
    CHECK(faultsOf(open, "open") == "");
    CHECK(faultsOf(limited, "limited") == "");
    CHECK(countOf("restricted_ports") == 1);
    CHECK(countOf("allowed_24") == 1);
    REQUIRE(limited.del("limited").ok());
    CHECK(countOf("restricted_ports") + countOf("allowed_24") == 0);
    pons::Host here = openHost();
    REQUIRE(tables::rebuild(here, attachmentOf(open, "open")).ok());
    for (const auto family : {TableFamily::Ipv4, TableFamily::Ipv6}) CHECK(partsIn(family) == without);
    CHECK(faultsOf(open, "open") == "");
  }
}

TEST_CASE("allowFrom: what is lost of a port's elements is named, and the repair restores it") {
  REQUIRE_FAKE_HOST(host);
  const Runtime limited = publishing(8443, R"(, "allowFrom": ["192.0.2.0/24", "198.51.100.7", "2001:db8::/32"])");
  host.addNamespace("c1");
  attach(limited, "c1");
  struct Loss {
    std::string command;
    std::string words;
  };
  for (const auto& [command, words] :
       {Loss{"flush set ip pons restricted_ports", ". tcp . 8443 of set restricted_ports of table ip pons is missing"},
        Loss{"flush set ip pons allowed_24", " . 0.0.0.0 . tcp . 8443 . 192.0.2.0 of set allowed_24 of table ip pons"},
        Loss{"flush set ip pons allowed_32", " . 0.0.0.0 . tcp . 8443 . 198.51.100.7 of set allowed_32"},
        Loss{"flush set ip6 pons allowed_32", " . :: . tcp . 8443 . 2001:db8:: of set allowed_32 of table ip6"},
        Loss{"flush chain ip pons restricted", "rule 1 of chain restricted of table ip pons is missing"}}) {
    CAPTURE(command);
    outputOf({"nft", command});
    const std::string faults = faultsOf(limited, "c1");
    CHECK_MESSAGE(contains(faults, words), faults);
    CHECK(contains(faults, " port 8443/tcp: element ") == command.starts_with("flush set"));
    pons::Host here = openHost();
    REQUIRE(tables::rebuild(here, attachmentOf(limited, "c1")).ok());
    CHECK(faultsOf(limited, "c1") == "");
  }
}

TEST_CASE("allowFrom: what a lost ledger left for the same port neither prevents an ADD nor adds to it") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  Runtime before = publishing(8443, R"(, "allowFrom": ["192.0.2.0/24", "198.51.100.0/24"])");
  Runtime after = publishing(8443, R"(, "allowFrom": ["192.0.0.0/16", "198.51.100.128/25"])");
  before.args = after.args = "IP=10.42.0.7,fd42::7";
  attach(before, "c1");
  outputOf({"rm", "-rf", kStateDir});
  attach(after, "c2");
  CHECK(faultsOf(after, "c2") == "");
  CHECK(countOf("allowed_16") == 1);
  CHECK(countOf("allowed_24") == 0);
  CHECK(countOf("allowed_32") == 128);  // 198.51.100.128/25
}

TEST_CASE("allowFrom: an element names its port") {
  for (const auto& [target, hostAddress, client] :
       {std::array{"10.42.0.7", "0.0.0.0", "192.0.2.0/24"}, std::array{"10.42.0.7", "192.0.2.1", "0.0.0.0/0"},
        std::array{"fd42::7", "::", "fd00::/8"}, std::array{"fd42::7", "2001:db8::1", "fd00::7/128"}}) {
    CAPTURE(target);
    CAPTURE(hostAddress);
    const pons::PortForward forward{pons::Protocol::Udp, ip(hostAddress), 65535, ip(target), 80, {prefix(client)}};
    const Family family = forward.target.family();
    const auto elements = restricted::elementsOf(forward);
    REQUIRE(elements.size() == 3);
    for (const auto& [set, some] : elements) {
      CAPTURE(set);
      REQUIRE(some.size() == 1);
      const auto port = restricted::portOf(some.front(), family, set);
      REQUIRE(port);
      CHECK(port->target == forward.target);
      CHECK((set == restricted::kRestrictedPorts || port->hostAddress == forward.hostAddress));
      CHECK(port->hostPort == 65535);
      CHECK(port->protocol == pons::Protocol::Udp);
    }
  }
  const std::vector<netlib::IpPrefix> ofIpv4{prefix("10.0.0.0/8")};
  CHECK(restricted::elementsOf({pons::Protocol::Tcp, ip("::"), 80, ip("fd42::7"), 80, ofIpv4}).size() == 2);
  CHECK(restricted::elementsOf({pons::Protocol::Tcp, ip("::"), 80, ip("fd42::7"), 80, {}}).empty());
}

// The rules: see tests/protocol/rules.cpp.
TEST_CASE("allowFrom: nft reads what it lists of the sets") {
  REQUIRE_FAKE_HOST(host);
  const Runtime limited = publishing(8443, R"(, "allowFrom": ["192.0.2.0/23", "198.51.100.7", "2001:db8::/33"])");
  host.addNamespace("c1");
  attach(limited, "c1");
  const std::string listed = outputOf({"nft", "list", "sets"});
  for (const char* element : {". tcp . 8443 . 192.0.3.0", ". tcp . 8443 . 2001:db8:7f00::"}) {
    CHECK_MESSAGE(contains(listed, element), listed);
  }
  const Outcome loaded = run({"nft", "-f", "-"}, {.environment = {}, .input = "flush ruleset\n" + listed});
  REQUIRE_MESSAGE(loaded.ok(), loaded.err);
  CHECK(outputOf({"nft", "list", "sets"}) == listed);
}
