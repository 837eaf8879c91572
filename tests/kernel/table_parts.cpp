// A table has the parts that its containers have needed, in whatever order they came; and a kernel that lacks what a
// part asks for is named.
#include "plugin/firewall/table_parts.h"

#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/table_transaction.h"

#include "tests/support/differences.h"
#include "tests/support/runtime.h"
#include "tests/support/text.h"

using namespace support;
namespace nft = netlib::nft;
namespace tables = pons::tables;
using tables::Part;
using tables::TableFamily;

namespace {

const std::string kUnguarded = R"("macspoofchk": false, "ipSpoofCheck": false)";
const std::string kDual = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})";

/// One container of network "demo" each, with a fixed address.
struct Kind {
  std::string container;
  std::string args;
  std::string members;
};
const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"plain", "IP=10.42.0.11,fd42::11", kDual + ", " + kUnguarded},
      {"ports", "IP=10.42.0.12,fd42::12",
       kDual + ", " + kUnguarded +
           R"(, "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                                 {"hostPort": 5353, "containerPort": 53, "protocol": "udp"}])"},
      {"policy", "IP=10.42.0.13,fd42::13",
       kDual + ", " + kUnguarded + R"(, "ingressPolicy": "same-bridge", "publishedOnly": true)"},
      {"guard", "IP=10.42.0.14,fd42::14", kDual}};
  return all;
}

Runtime runtimeOf(const Kind& kind) {
  Runtime runtime{demoConfig(kind.members)};
  runtime.args = kind.args;
  return runtime;
}

void attach(FakeHost& host, const Kind& kind) {
  host.addNamespace(kind.container);
  const auto added = runtimeOf(kind).add(kind.container);
  REQUIRE_MESSAGE(added.ok(), kind.container << ": " << (added ? "" : added.error().message));
}

pons::Attachment attachmentOf(const Kind& kind) {
  pons::Host host = openHost();
  const auto key = runtimeOf(kind).request(pons::cni::Verb::Add, kind.container).key;
  const auto record = host.ledger.snapshot(key).value();
  REQUIRE(record);
  return record->attachment;
}

/// What the steps of these containers find on the host, each step by itself.
std::string faultsOf(const std::vector<Kind>& attached) {
  pons::Host host = openHost();
  std::string text;
  for (const Kind& kind : attached) {
    const pons::Attachment attachment = attachmentOf(kind);
    for (const auto& step : pons::planFor(attachment)) {
      if (!step->isInside()) text += differencesOf(*step, host);
    }
  }
  return text;
}

std::string ruleset() { return outputOf({"nft", "list", "ruleset"}); }

/// Without elements, and in an order of its own: nft lists chains and sets as they were made.
std::vector<std::string> linesOf(const std::string& text) {
  std::vector<std::string> lines;
  std::string object;
  bool inElements = false;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with("\t") && !line.starts_with("\t\t")) object = line;
    inElements |= contains(line, "elements = {");
    if (!inElements) lines.push_back(object + ": " + line);
    inElements &= !line.ends_with("}");
  }
  std::ranges::sort(lines);
  return lines;
}

tables::Parts partsIn(TableFamily family) {
  pons::Host host = openHost();
  return tables::presentParts(host.netfilter, family).value();
}

void checkBothHave(const tables::Parts& parts) {
  for (const TableFamily family : {TableFamily::Ipv4, TableFamily::Ipv6}) CHECK(partsIn(family) == parts);
}

/// What an earlier pons made with the first container.
void makeWholeTables(const std::set<TableFamily>& families) {
  pons::Host host = openHost();
  const auto made = tables::replaceTables(host, families, [&](nft::Transaction& transaction) {
    for (const TableFamily family : families) {
      tables::appendSkeleton(transaction, family, tables::allParts(family));
      tables::appendOwner(transaction, family, host.ledger);
    }
  });
  REQUIRE(made.ok());
}

}  // namespace

TEST_CASE("A container that is masqueraded, and nothing else, needs no fib, conntrack expression or family bridge") {
  REQUIRE_FAKE_HOST(host);
  attach(host, kinds().at(0));
  const std::string rules = ruleset();
  CHECK(contains(rules, "masquerade"));
  for (const char* other : {"fib ", "ct ", "dnat", "table bridge", "hook prerouting", "hook output", "hook forward"}) {
    CHECK_MESSAGE(!contains(rules, other), other << " is in " << rules);
  }
  checkBothHave(tables::Parts{Part::SourceNat});
  CHECK(partsIn(TableFamily::Bridge).empty());
  CHECK(faultsOf({kinds().at(0)}) == "");
}

TEST_CASE("A container without masquerade and ports, in a network with a policy, needs no NAT") {
  REQUIRE_FAKE_HOST(host);
  const Kind internal{"c1", {}, kDual + ", " + kUnguarded + R"(, "internal": true)"};
  attach(host, internal);
  checkBothHave(tables::Parts{Part::Policies, Part::Reject});
  CHECK(!contains(ruleset(), "type nat"));
  CHECK(faultsOf({internal}) == "");
  REQUIRE(runtimeOf(internal).del("c1").ok());
  CHECK(ruleset() == "");
}

TEST_CASE("Policies that drop need no expression reject, and get it with the first container that wants an answer") {
  for (const std::string policy :
       {R"("internal": true)", R"("publishedOnly": true)", R"("ingressPolicy": "isolated")"}) {
    CAPTURE(policy);
    REQUIRE_FAKE_HOST(host);
    const std::string members =
        kDual + ", " + kUnguarded + R"(, "ipMasq": false, "isDefaultGateway": false, )" + policy;
    const Kind silent{"c1", {}, members + R"(, "onDeny": "drop")"};
    const Kind answering{"c2", {}, members};
    attach(host, silent);
    checkBothHave(tables::Parts{Part::Policies});
    CHECK(!contains(ruleset(), "reject with"));
    attach(host, answering);
    checkBothHave(tables::Parts{Part::Policies, Part::Reject});
    CHECK(contains(ruleset(), "reject with tcp reset"));
    CHECK(contains(ruleset(), "reject with icmpv6 admin-prohibited"));
    CHECK(faultsOf({silent, answering}) == "");
    REQUIRE(runtimeOf(silent).del("c1").ok());
    CHECK(faultsOf({answering}) == "");
    REQUIRE(runtimeOf(answering).del("c2").ok());
    CHECK(ruleset() == "");
  }
}

TEST_CASE("Containers of different needs end with the same tables in every order, and leave none in every order") {
  std::vector<Kind> order{kinds().begin(), kinds().begin() + 3};
  const auto byName = [](const Kind& one, const Kind& other) { return one.container < other.container; };
  std::ranges::sort(order, byName);
  std::vector<std::string> first;
  do {
    REQUIRE_FAKE_HOST(host);
    std::vector<Kind> attached;
    for (const Kind& kind : order) {
      CAPTURE(kind.container);
      attach(host, kind);
      attached.push_back(kind);
      CHECK(faultsOf(attached) == "");
    }
    const auto lines = linesOf(ruleset());
    if (first.empty()) first = lines;
    CHECK(lines == first);
    // The first one first: what it alone needed stays for the others, which is no fault.
    for (; !attached.empty(); attached.erase(attached.begin())) {
      CHECK(faultsOf(attached) == "");
      REQUIRE(runtimeOf(attached.front()).del(attached.front().container).ok());
    }
    CHECK(ruleset() == "");
  } while (std::next_permutation(order.begin(), order.end(), byName));
}

TEST_CASE("A rebuild writes the parts that are needed then, with what was there") {
  REQUIRE_FAKE_HOST(host);
  const Kind &plain = kinds().at(0), &ports = kinds().at(1);
  attach(host, ports);
  attach(host, plain);
  CHECK(partsIn(TableFamily::Ipv4) == tables::Parts{Part::SourceNat, Part::Ports});
  REQUIRE(runtimeOf(ports).del(ports.container).ok());
  CHECK(partsIn(TableFamily::Ipv4) == tables::Parts{Part::SourceNat, Part::Ports});
  outputOf({"nft", "flush", "ruleset"});
  pons::Host here = openHost();
  REQUIRE(tables::rebuild(here, attachmentOf(plain)).ok());
  CHECK(partsIn(TableFamily::Ipv4) == tables::Parts{Part::SourceNat});
  CHECK(faultsOf({plain}) == "");
  attach(host, {ports.container + "2", ports.args, ports.members});
  CHECK(partsIn(TableFamily::Ipv6) == tables::Parts{Part::SourceNat, Part::Ports});
  CHECK(faultsOf({plain}) == "");
}

TEST_CASE("The tables that an earlier pons made, with all parts, are as they should be, whoever comes") {
  for (const Kind& kind : kinds()) {
    CAPTURE(kind.container);
    REQUIRE_FAKE_HOST(host);
    std::set<TableFamily> families{TableFamily::Ipv4, TableFamily::Ipv6};
    if (kind.container == "guard") families.insert(TableFamily::Bridge);
    makeWholeTables(families);
    attach(host, kind);
    for (const TableFamily family : {TableFamily::Ipv4, TableFamily::Ipv6}) {
      CHECK(partsIn(family) == tables::allParts(family));
    }
    CHECK(faultsOf({kind}) == "");
    REQUIRE(runtimeOf(kind).del(kind.container).ok());
    CHECK(ruleset() == "");
  }
}

TEST_CASE("A part that lost a chain, or all that it had, is found by the containers that need it") {
  for (const char* damage :
       {"flush chain ip pons prerouting; delete chain ip pons prerouting", "flush chain ip pons postrouting",
        "delete rule ip pons subnet_10.42.0.0/24 handle $(nft -a list chain ip pons subnet_10.42.0.0/24 | "
        "sed -n 's/.*ct label.*handle //p')",
        "delete table ip pons"}) {
    CAPTURE(damage);
    REQUIRE_FAKE_HOST(host);
    for (const Kind& kind : {kinds().at(0), kinds().at(1)}) attach(host, kind);
    outputOf({"sh", "-c", std::string{"nft \""} + damage + "\""});
    CHECK(faultsOf({kinds().at(0)}) != "");
    CHECK(faultsOf({kinds().at(1)}) != "");
    pons::Host here = openHost();
    REQUIRE(tables::rebuild(here, attachmentOf(kinds().at(0))).ok());
    CHECK(faultsOf({kinds().at(0), kinds().at(1)}) == "");
  }
}

TEST_CASE("An ADD that dies after it added a part leaves no fault, and its DEL the tables of the others") {
  REQUIRE_FAKE_HOST(host);
  attach(host, kinds().at(0));
  const Kind& dying = kinds().at(1);
  host.addNamespace(dying.container);
  const auto request = runtimeOf(dying).request(pons::cni::Verb::Add, dying.container);
  for (std::size_t step = 0; step <= stepCount(request); ++step) {
    CAPTURE(step);
    const auto died = addWith(request, [step](std::size_t at, pons::Host&) -> netlib::Result<> {
      if (at != step) return {};
      return netlib::fail(netlib::Cause::Internal, "dies here");
    });
    CHECK(!died.ok());
    CHECK(faultsOf({kinds().at(0)}) == "");
  }
  REQUIRE(runtimeOf(kinds().at(0)).del(kinds().at(0).container).ok());
  CHECK(ruleset() == "");
}

TEST_CASE("Every feature of every part is asked for without a change, and one that the kernel lacks is named") {
  REQUIRE_FAKE_HOST(host);
  pons::Host here = openHost();
  for (const TableFamily family : tables::kAll) {
    for (const Part part : tables::allParts(family)) {
      for (const tables::Feature& feature : tables::featuresOf(family, part)) {
        CAPTURE(feature.option);
        const auto asked = tables::ask(here.netfilter, family, part, feature);
        CHECK_MESSAGE(asked.ok(), (asked ? "" : asked.error().message));
      }
    }
  }
  const tables::Feature unknown{"chains of type unknown", "CONFIG_NFT_UNKNOWN", "nft_unknown",
                                [](nft::Transaction& transaction, const nft::Table& table) {
                                  transaction.addBaseChain(table,
                                                           {.name = "c", .type = "unknown", .hook = 0, .priority = 0});
                                }};
  for (const auto& [family, part, key] : {std::tuple{TableFamily::Ipv4, Part::Ports, "\"portMappings\""},
                                          std::tuple{TableFamily::Ipv6, Part::SourceNat, "\"ipMasq\": false"},
                                          std::tuple{TableFamily::Bridge, Part::Guard, "\"macspoofchk\""}}) {
    const auto asked = tables::ask(here.netfilter, family, part, unknown);
    REQUIRE(asked.failedWith(netlib::Cause::Unsupported));
    for (const std::string& text : {std::string{"CONFIG_NFT_UNKNOWN"}, std::string{"module nft_unknown"},
                                    std::string{"family "} + tables::nameOf(family), std::string{key}}) {
      CHECK_MESSAGE(contains(asked.error().message, text), asked.error().message);
    }
  }
  CHECK(ruleset() == "");
}

TEST_CASE("An error that no lacking feature explains stays as it is") {
  REQUIRE_FAKE_HOST(host);
  pons::Host here = openHost();
  const tables::PartsByTable all{{TableFamily::Ipv4, tables::allParts(TableFamily::Ipv4)},
                                 {TableFamily::Bridge, {Part::Guard}}};
  for (const int number : {ENOENT, EOPNOTSUPP, EPERM}) {
    const netlib::Error error = netlib::Error::fromErrno("add rule", number);
    const netlib::Error same = tables::explained(here.netfilter, all, error);
    CHECK(same.message == error.message);
    CHECK(same.isErrno(number));
  }
}
