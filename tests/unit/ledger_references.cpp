// References to shared states whose attachments wish different values.
#include <algorithm>

#include <doctest/doctest.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using pons::IngressPolicy;
using pons::Ledger;
using support::attach;
using support::attachmentOf;
using support::ip;
using support::keyOf;
using support::LedgerBench;
using support::prefix;

namespace {

const std::string kStem = "ingress-pons0";

pons::Attachment wishing(const std::string& container, IngressPolicy policy) {
  auto attachment = attachmentOf(keyOf(container), {});
  attachment.ingress = policy;
  return attachment;
}

const std::vector<pons::Attachment>& three() {
  static const std::vector all{wishing("c1", IngressPolicy::Isolated), wishing("c2", IngressPolicy::SameBridge),
                               wishing("c3", IngressPolicy::Isolated)};
  return all;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

bool dropsLast(Ledger& ledger, const pons::Attachment& attachment) {
  pons::Record record = ledger.find(attachment.key).value().value();
  return ledger.dropReference(ledger.lockHost().value(), pons::shared_state::ingress(attachment), record).value();
}

bool isReferenced(Ledger& ledger, const std::string& state) {
  return ledger.isReferenced(ledger.lockHost().value(), state).value();
}

}  // namespace

TEST_CASE("the last reference is the last one to any value, whatever the order") {
  std::vector<std::size_t> order{0, 1, 2};
  do {
    CAPTURE(order);
    const LedgerBench bench;
    Ledger ledger = bench.open();
    for (const auto& attachment : three()) attach(ledger, attachment);
    std::vector<std::string> values{"isolated", "isolated", "same-bridge"};
    for (const std::size_t number : order) {
      std::vector<std::string> distinct = values;
      distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
      CHECK(sorted(ledger.valuesOf(kStem).value()) == distinct);
      CHECK(ledger.referencesTo(kStem)->size() == values.size());
      CHECK(ledger.countReferences(kStem).value() == values.size());
      CHECK(isReferenced(ledger, kStem));
      for (const std::string value : {"isolated", "same-bridge"}) {
        const bool expected = std::ranges::find(values, value) != values.end();
        CHECK(isReferenced(ledger, kStem + "/" + value) == expected);
        CHECK(ledger.mayBeReferenced(kStem + "/" + value).value() == expected);
      }
      values.erase(std::ranges::find(values, nameOf(three()[number].ingress)));
      CHECK(dropsLast(ledger, three()[number]) == values.empty());
    }
    CHECK_FALSE(isReferenced(ledger, kStem));
    CHECK(ledger.valuesOf(kStem)->empty());
    CHECK(ledger.sharedStatesNamed("ingress-")->empty());
    for (const auto& attachment : three()) support::release(ledger, attachment.key);
    CHECK(bench.dump().empty());
  } while (std::ranges::next_permutation(order).found);
}

TEST_CASE("stale references and directories that a killed process left are no references") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  for (const auto& attachment : three()) attach(ledger, attachment);
  for (const char* gone : {"c1", "c3"}) {
    std::filesystem::remove(bench.path() + "/networks/demo/attachments/" + gone + ":eth0.json");
  }
  CHECK(ledger.valuesOf(kStem).value() == std::vector<std::string>{"same-bridge"});
  CHECK(ledger.referencesTo(kStem).value() == std::vector{keyOf("c2")});
  CHECK(ledger.mayBeReferenced(kStem + "/isolated").value());
  CHECK_FALSE(isReferenced(ledger, kStem + "/isolated"));
  CHECK(isReferenced(ledger, kStem));

  std::filesystem::create_directories(bench.path() + "/holds/" + kStem + "/isolated");
  CHECK(ledger.valuesOf(kStem)->size() == 1);
  CHECK(dropsLast(ledger, three()[1]));
  CHECK_FALSE(std::filesystem::exists(bench.path() + "/holds/" + kStem));
  CHECK(ledger.sweepClaims(ledger.lockHost().value(), keyOf("c1").network).ok());
  support::release(ledger, keyOf("c2"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a file in place of a directory of references is ignored") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  attach(ledger, three()[1]);
  const std::string value = bench.path() + "/holds/" + kStem + "/isolated";
  support::setContent(value, "in the way");
  support::setContent(bench.path() + "/holds/filtered-pons0", "in the way");
  CHECK(ledger.valuesOf(kStem).value() == std::vector<std::string>{"same-bridge"});
  CHECK(ledger.valuesOf("filtered-pons0")->empty());
  for (const std::string& state : {kStem + "/isolated", std::string{"filtered-pons0"}}) {
    CHECK(ledger.referencesTo(state)->empty());
    CHECK_FALSE(isReferenced(ledger, state));
  }
  CHECK(ledger.staleClaims(keyOf("c1").network)->empty());
  CHECK(ledger.sweepClaims(ledger.lockHost().value(), keyOf("c1").network).ok());
  CHECK(dropsLast(ledger, three()[1]));
  support::release(ledger, keyOf("c2"));
  CHECK(support::contentOf(value) == "in the way");
}

TEST_CASE("the networks on a bridge are the values of its references, and each counts until its last container") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto bridge = netlib::IfName::parse("pons1").value();
  const auto named = [&] {
    std::vector<std::string> names;
    for (const auto& network : ledger.networksOn(bridge).value()) names.push_back(network.toString());
    for (const char* network : {"one", "two", "none"}) {
      std::vector<std::string> others;
      for (const auto& other : ledger.networksBeside(keyOf("c1", network).network, bridge).value())
        others.push_back(other.toString());
      auto expected = names;
      std::erase(expected, network);
      CHECK(sorted(others) == sorted(expected));
    }
    return sorted(names);
  };
  for (const char* container : {"c1", "c2"}) attach(ledger, attachmentOf(keyOf(container, "one"), {}));
  attach(ledger, attachmentOf(keyOf("c1", "two"), {}));
  attach(ledger, attachmentOf(keyOf("c1"), {}));  // on pons0
  CHECK(named() == std::vector<std::string>{"one", "two"});
  support::release(ledger, keyOf("c1", "one"));
  CHECK(named() == std::vector<std::string>{"one", "two"});
  support::release(ledger, keyOf("c2", "one"));
  CHECK(named() == std::vector<std::string>{"two"});
  support::release(ledger, keyOf("c1", "two"));
  CHECK(named().empty());
}

TEST_CASE("a damaged record is reconstructed with the values of its references") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  auto attachment = wishing("c1", IngressPolicy::SameBridge);
  attachment.bridge.name = netlib::IfName::parse("br-x").value();
  attachment.bridge.promiscuous = attachment.acceptForward = true;
  SUBCASE("with an admin chain") { attachment.adminChain = "../MY-CHAIN"; }
  SUBCASE("without") {}
  SUBCASE("with other policies") { attachment.publishedOnly = attachment.internal = true; }
  SUBCASE("with silence") { attachment.onDeny = pons::OnDeny::Drop; }
  attach(ledger, attachment);
  support::setContent(bench.path() + "/networks/demo/attachments/c1:eth0.json", "{");
  {
    const auto record = ledger.find(keyOf("c1")).value();
    REQUIRE(record);
    CHECK(record->salvaged);
    CHECK(record->attachment.bridge.name == attachment.bridge.name);
    CHECK(record->attachment.bridge.promiscuous);
    CHECK(record->attachment.ingress == IngressPolicy::SameBridge);
    CHECK(record->attachment.acceptForward);
    CHECK(record->attachment.adminChain == attachment.adminChain);
    CHECK(record->attachment.publishedOnly == attachment.publishedOnly);
    CHECK(record->attachment.internal == attachment.internal);
    CHECK(record->attachment.onDeny == attachment.onDeny);
  }
  support::release(ledger, keyOf("c1"));
  CHECK(bench.dump().empty());
}

TEST_CASE("references that are missing are added, and the first one to a state is reported") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  attach(ledger, three()[0]);
  const auto before = bench.dump();
  std::filesystem::remove_all(bench.path() + "/holds");
  CHECK(ledger.addMissingReferences(ledger.lockHost().value(), three()[0]).ok());
  CHECK(bench.dump() == before);

  Ledger second = bench.open();
  attach(second, three()[2]);
  CHECK(second.hadReferences(kStem + "/isolated"));
  attach(second, three()[1]);
  CHECK_FALSE(second.hadReferences(kStem + "/same-bridge"));
}
