// The tables of pons, rule by rule and element by element: whatever differs from what pons would write now is found and
// named, and what others add to them is no difference.
#include <regex>

#include <doctest/doctest.h>

#include "netlib/nft/content.h"
#include "netlib/nft/hook.h"

#include "plugin/firewall/table_transaction.h"

#include "tests/support/differences.h"
#include "tests/support/runtime.h"

using namespace support;
using netlib::Family;
namespace nft = netlib::nft;
namespace tables = pons::tables;

namespace {

std::string networkOf(const std::string& name, const std::string& members) {
  return R"({"cniVersion": "1.1.0", "logLevel": "off", "type": "pons", "name": ")" + name + "\", " + members + "}";
}

/// Networks whose containers together need every rule of the tables, and elements in nearly every set.
std::vector<std::string> networks() {
  return {
      networkOf("demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24", "rangeEnd": "10.42.0.99"}],
                                                [{"subnet": "fd42::/64"}]]},
                           "ingressPolicy": "same-bridge", "ipMasqExclude": ["192.0.2.128/25", "2001:db8:2::/48"],
                           "portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"},
                        {"hostPort": 5353, "containerPort": 53, "protocol": "udp", "allowFrom": ["10.0.0.0/8", "::/0"]},
                        {"hostPort": 8081, "containerPort": 81, "hostIP": "192.0.2.1", "allowFrom": ["10.0.0.0/8"]}])"),
      networkOf("same-subnet", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24", "rangeStart": "10.42.0.100"}]]})"),
      networkOf("policed", R"("bridge": "pons1", "dns": {"nameservers": ["192.0.2.53", "fd00::53"]},
                              "ipam": {"ranges": [[{"subnet": "10.43.0.0/24"}], [{"subnet": "fd43::/64"}]]},
                              "egressPolicy": {"allowedCidrs": ["192.0.2.0/24", "10.0.0.0/8", "2001:db8::/32"],
                                               "allowedTcpPorts": [80, 443], "allowedUdpPorts": [123]})"),
      networkOf("wide", R"("bridge": "pons2", "isGateway": false, "ipMasq": true, "ipam": {"subnet": "10.44.0.0/16"})"),
      networkOf("narrow", R"("bridge": "pons3", "isGateway": false, "ipMasq": true,
                             "publishedOnly": true, "onDeny": "drop", "ipam": {"subnet": "10.44.1.0/24"})"),
      networkOf("internal", R"("bridge": "pons4", "internal": true, "ipam": {"subnet": "10.45.0.0/24"})")};
}

std::string nameOf(const nft::Table& table) { return tables::nameOf(table.family) + std::string{" pons"}; }

void changeBy(const std::string& commands) {
  const Outcome changed = run({"nft", commands});
  REQUIRE_MESSAGE(changed.ok(), commands << ": " << changed.err);
}

/// A container, "c0" and on, on each network.
class Bench {
 public:
  explicit Bench(FakeHost& fake) : host_(openHost()) {
    fake.addOutside();
    for (const std::string& config : networks()) {
      const std::string container = "c" + std::to_string(attachments_.size());
      fake.addNamespace(container);
      const Runtime runtime{config};
      const auto added = runtime.add(container);
      REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().message));
      const auto record = host_.ledger.snapshot(runtime.request(pons::cni::Verb::Add, container).key).value();
      REQUIRE(record);
      attachments_.push_back(record->attachment);
    }
  }

  netlib::Socket& netfilter() { return host_.netfilter; }

  /// What the steps of all containers find, a line for each difference.
  std::string differences() {
    std::string text;
    std::set<std::string> shared;
    for (const pons::Attachment& attachment : attachments_) {
      for (const auto& step : pons::planFor(attachment)) {
        const bool known = !step->sharedState().empty() && !shared.insert(step->sharedState()).second;
        if (!known && !step->isInside()) text += differencesOf(*step, host_);
      }
    }
    return text;
  }

  void checkNamed(const std::string& expected) {
    const std::string found = differences();
    CHECK_MESSAGE(found.find(expected) != std::string::npos, "no \"" << expected << "\" in: " << found);
  }

  void repair() {
    const auto repaired = tables::rebuild(host_, attachments_.front());
    REQUIRE_MESSAGE(repaired.ok(), (repaired ? "" : repaired.error().message));
  }

  /// What these containers need there, without their elements.
  nft::TableContent contentOf(const nft::Table& table) const {
    nft::Transaction transaction;
    for (const auto family : tables::kAll) tables::appendSkeleton(transaction, family, tables::allParts(family));
    for (const pons::Attachment& attachment : attachments_) {
      for (const pons::SourceNat& nat : attachment.sourceNats) {
        if (nat.masquerade) pons::nat::appendNetwork(transaction, nat, pons::chainOf(attachment, nat), "");
      }
    }
    return transaction.contentOf(table).value();
  }

  std::vector<netlib::filter::Rule> rulesOf(const nft::Table& table, const std::string& chain) {
    return nft::listRules(netfilter(), table, chain).value();
  }

 private:
  pons::Host host_;
  std::vector<pons::Attachment> attachments_;
};

void replaceAndDelete(Bench& bench, const nft::Table& table, const std::string& chain, std::size_t index) {
  const std::string where = " of chain " + chain + " of table " + nameOf(table);
  const auto handleOf = [&] { return bench.rulesOf(table, chain).at(index).handle; };
  changeBy("replace rule " + nameOf(table) + " " + chain + " handle " + std::to_string(handleOf()) + " accept");
  bench.checkNamed("rule " + std::to_string(index + 1) + where + " is [ immediate reg 0 accept ]");
  nft::Transaction transaction;
  transaction.deleteRule(table, chain, handleOf());
  REQUIRE(transaction.commit(bench.netfilter()).ok());
  bench.checkNamed(where);
  bench.repair();
}

/// As pons writes them: in ascending order, the end of an interval before the beginning of the next one.
std::vector<nft::Element> sorted(std::vector<nft::Element> elements) {
  std::ranges::sort(elements, {}, [](const nft::Element& element) {
    return std::pair{element.key, !element.intervalEnd};
  });
  return elements;
}

/// The same with other data of the first element that has some.
std::vector<nft::Element> changed(std::vector<nft::Element> elements) {
  const auto first = std::ranges::find_if(elements, [](const auto& element) { return !element.intervalEnd; });
  REQUIRE(first != elements.end());
  if (first->jumpTo.empty()) {
    ++first->data.at(0);
  } else {
    first->jumpTo = "elsewhere";
  }
  return elements;
}

void flushAndChange(Bench& bench, const nft::Table& table, const std::string& set, bool isMap) {
  const auto elements = sorted(nft::listElements(bench.netfilter(), table, set).value());
  if (elements.empty()) return;
  nft::Transaction flush;
  flush.deleteElements(table, set, elements);
  REQUIRE(flush.commit(bench.netfilter()).ok());
  bench.checkNamed(set == "ledger" ? "ledger" : " of set " + set + " of table " + nameOf(table) + " is missing");
  if (isMap && set != "ledger") {  // with other data it is another ledger's table
    const auto other = changed(elements);
    nft::Transaction change;
    change.addChain(table, "elsewhere");
    change.addElements(table, set, other);
    const auto committed = change.commit(bench.netfilter());
    REQUIRE_MESSAGE(committed.ok(), (committed ? "" : committed.error().message));
    bench.checkNamed(" of set " + set + " of table " + nameOf(table) + " is ");
  }
  bench.repair();
}

}  // namespace

TEST_CASE("Every rule of every chain that is replaced, deleted or preceded by another one is found and named") {
  REQUIRE_FAKE_HOST(host);
  Bench bench{host};
  CHECK(bench.differences() == "");
  std::size_t rules = 0;
  for (const auto family : tables::kAll) {
    const nft::Table table = tables::tableOf(family);
    for (const auto& chain : nft::listChains(bench.netfilter(), table).value()) {
      CAPTURE(chain.name);
      const std::size_t count = bench.rulesOf(table, chain.name).size();
      for (std::size_t index = 0; index < count; ++index) replaceAndDelete(bench, table, chain.name, index);
      rules += count;
      CHECK(bench.differences() == "");
      changeBy("insert rule " + nameOf(table) + " " + chain.name + " accept");
      bench.checkNamed("rule 1 of chain " + chain.name + " of table " + nameOf(table) +
                       " is [ immediate reg 0 accept ]");
      bench.repair();
    }
  }
  CHECK(rules > 100);
  CHECK(bench.differences() == "");
}

TEST_CASE("Every set that loses its elements is found, and every map that leads elsewhere") {
  REQUIRE_FAKE_HOST(host);
  Bench bench{host};
  for (const auto family : tables::kAll) {
    const nft::Table table = tables::tableOf(family);
    for (const auto& [name, set] : bench.contentOf(table).sets) {
      CAPTURE(name);
      flushAndChange(bench, table, name, set.dataType != 0);
      CHECK(bench.differences() == "");
    }
  }
}

TEST_CASE("A base chain that is gone, has another priority or drops by default is found; and a dormant table") {
  REQUIRE_FAKE_HOST(host);
  Bench bench{host};
  const std::regex pattern{R"((.* priority )(-?\d+) policy accept)"};
  for (const auto family : tables::kAll) {
    const nft::Table table = tables::tableOf(family);
    for (const auto& [name, chain] : bench.contentOf(table).chains) {
      CAPTURE(name);
      std::smatch parts;
      if (!std::regex_match(chain.base, parts, pattern)) continue;
      const std::string which = "chain " + nameOf(table) + " " + name;
      const std::string where = "chain " + name + " of table " + nameOf(table);
      changeBy("flush " + which + "; delete " + which);
      bench.checkNamed(where + " is missing");
      changeBy("add " + which + " { " + parts[1].str() + std::to_string(std::stoi(parts[2].str()) + 1) +
               "; policy accept; }");
      bench.checkNamed("kind of " + where);
      bench.repair();
      CHECK(bench.differences() == "");
      changeBy("add " + which + " { policy drop; }");
      bench.checkNamed("kind of " + where);
      bench.repair();
    }
    changeBy("add table " + nameOf(table) + " { flags dormant; }");
    bench.checkNamed("table " + nameOf(table) + " is dormant, expected active");
    bench.repair();
    changeBy("delete table " + nameOf(table));
    bench.checkNamed("table " + nameOf(table) + " is missing");
    bench.repair();
    CHECK(bench.differences() == "");
  }
}

TEST_CASE("A set of another type is found; what others add beside is no difference, but a rule in a chain of pons is") {
  REQUIRE_FAKE_HOST(host);
  Bench bench{host};
  changeBy("flush chain ip pons martian_127; add rule ip pons postrouting accept");
  bench.checkNamed("rule 1 of chain martian_127 of table ip pons is missing");
  bench.checkNamed("of chain postrouting of table ip pons is [ immediate reg 0 accept ], expected missing");
  bench.repair();

  changeBy(
      "add chain ip pons theirs; add rule ip pons theirs accept; add set ip pons mine { type ipv4_addr; }; "
      "add element ip pons mine { 10.0.0.1 }; add element ip pons masqueraded { 10.42.0.200 }; "
      "add element ip pons egress_sources { \"y1\" . 10.100.0.2 }; "
      "add element ip pons sources { 198.51.100.0/24 : jump theirs }; add table ip mine; "
      "add chain bridge pons theirs { type filter hook input priority 0; policy accept; }");
  CHECK(bench.differences() == "");

  changeBy(
      "flush chain bridge pons advertisement; delete set bridge pons target_macs; "
      "add set bridge pons target_macs { type ether_addr; }");
  bench.checkNamed("type of set target_macs of table bridge pons is ether_addr (6 bytes)");
  bench.checkNamed("chain advertisement of table bridge pons");
}

TEST_CASE("What the kernel lists of a table is what was written, the data of its elements included") {
  REQUIRE_FAKE_HOST(host);
  auto socket = netlib::Socket::open(netlib::Socket::Subsystem::Netfilter).value();
  const nft::Table table{Family::Ipv4, "t"};
  const std::vector<nft::Element> elements{{.key = {0, 0, 0, 1}, .data = {0, 0, 0, 10}},
                                           {.key = {0, 0, 0, 2}, .data = {0, 0, 0, 20}}};
  const auto write = [&](nft::Transaction& t, std::int32_t priority) {
    t.addTable(table);
    t.addSet(table,
             {.name = "m", .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kIpv4Addr, .dataLength = 4});
    t.addBaseChain(table, {.name = "base", .type = "nat", .hook = 0, .priority = priority});
    t.addRule(table, "base",
              nft::Rule{}.l4proto(6).loadDaddr(Family::Ipv4, 0).map("m", 0, 0).loadDport(1).dnat(Family::Ipv4, 0, 1));
    t.addChain(table, "c");
    t.addRule(table, "c", nft::Rule{}.limit(5, nft::LimitUnit::Minute).log("words: ").counter().drop());
    t.addElements(table, "m", elements);
  };
  nft::Transaction recorded;
  write(recorded, -100);
  const auto wanted = recorded.contentOf(table).value();
  CHECK(!nft::listContent(socket, table, wanted).value());
  nft::Transaction transaction;
  write(transaction, -99);
  REQUIRE(transaction.commit(socket).ok());

  const auto listed = nft::listContent(socket, table, wanted).value();
  REQUIRE(listed);
  for (const char* chain : {"base", "c"}) CHECK(listed->chains.at(chain).rules == wanted.chains.at(chain).rules);
  CHECK(wanted.chains.at("c").rules.size() == 1);
  CHECK(wanted.chains.at("base").base == "type nat hook prerouting priority -100 policy accept");
  CHECK(listed->chains.at("base").base == "type nat hook prerouting priority -99 policy accept");
  const auto& map = listed->sets.at("m");
  CHECK(map.type == "ipv4_addr (4 bytes) : ipv4_addr (4 bytes) flags 8");
  REQUIRE(map.elements.size() == 2);
  CHECK(nft::keyText(elements[0], map) + " : " + nft::dataText(elements[0], map) == "0.0.0.1 : 0.0.0.10");
}
