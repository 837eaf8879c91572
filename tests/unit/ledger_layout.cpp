// A state directory that an older pons wrote: references to names without values.
#include <algorithm>
#include <map>

#include <doctest/doctest.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using pons::IngressPolicy;
using pons::Ledger;
using support::attach;
using support::attachmentOf;
using support::forward;
using support::ip;
using support::keyOf;
using support::LedgerBench;
using support::prefix;

namespace {

namespace fs = std::filesystem;

std::vector<pons::Attachment> attachments() {
  auto first = attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}}, {forward("0.0.0.0", 8080)});
  first.ingress = IngressPolicy::Isolated;
  auto second =
      attachmentOf(keyOf("c2"), {{prefix("10.42.0.8/24"), ip("10.42.0.1")}, {prefix("fd42::8/64"), ip("fd42::1")}});
  second.bridge.promiscuous = second.acceptForward = true;
  second.guard = pons::SpoofGuard::Mac;
  second.adminChain = "MINE";
  return {first, second};
}

std::map<std::string, std::string> claimsIn(const LedgerBench& bench) {
  std::map<std::string, std::string> claims;
  for (const std::string& link : bench.links()) claims[link] = bench.linkAt(link);
  return claims;
}

/// holds/tables-ip -> tables, holds/bridge-pons0/demo -> bridge-pons0; there was no state "promiscuous".
std::string olderDirectory(const std::string& state) {
  if (state.starts_with("promiscuous-")) return {};
  return state.starts_with("tables-") ? "tables" : pons::shared_state::stem(state);
}

void makeOlder(const LedgerBench& bench) {
  const fs::path top = bench.path();
  for (const std::string& link : bench.links()) {
    if (!link.starts_with("holds/")) continue;
    const fs::path path = link;
    const std::string older = olderDirectory(path.parent_path().lexically_relative("holds"));
    const std::string target = bench.linkAt(link);
    fs::remove(top / path);
    if (fs::is_empty((top / path).parent_path())) fs::remove((top / path).parent_path());
    if (older.empty()) continue;
    fs::create_directories(top / "holds" / older);
    std::error_code exists;  // "tables" has one for several families
    fs::create_symlink("../../" + target.substr(target.find("networks/")), top / "holds" / older / path.filename(),
                       exists);
  }
  fs::remove(top / "layout.2");
}

/// DEL; true where it removes the last reference to the state.
bool detach(Ledger& ledger, const pons::Attachment& attachment, const std::string& state) {
  pons::Record record = ledger.find(attachment.key).value().value();
  const auto lock = ledger.lockHost().value();
  const bool last = ledger.dropReference(lock, state, record).value();
  CHECK(ledger.release(lock, record).ok());
  return last;
}

}  // namespace

TEST_CASE("an older state directory becomes what this version would have written, and DELs of any order empty it") {
  for (const bool reversed : {false, true}) {
    for (const bool readOnly : {false, true}) {
      CAPTURE(reversed);
      CAPTURE(readOnly);
      const LedgerBench bench;
      auto all = attachments();
      {
        Ledger ledger = bench.open();
        for (const auto& attachment : all) attach(ledger, attachment);
      }
      const auto before = claimsIn(bench);
      makeOlder(bench);
      REQUIRE(bench.linkAt("holds/bridge-pons0/demo:c1:eth0") == "../../networks/demo/attachments/c1:eth0.json");
      REQUIRE(bench.linkAt("holds/tables/demo:c2:eth0") == "../../networks/demo/attachments/c2:eth0.json");
      REQUIRE(claimsIn(bench) != before);

      if (readOnly) REQUIRE(Ledger::openExisting(bench.path(), std::chrono::milliseconds{50}).ok());
      Ledger ledger = bench.open();
      CHECK(claimsIn(bench) == before);
      CHECK_FALSE(fs::exists(bench.path() + "/holds/tables"));
      for (const auto& attachment : all) CHECK(ledger.missingClaims(attachment)->empty());
      CHECK(ledger.valuesOf("ingress-pons0").value() == std::vector<std::string>{"isolated"});

      if (reversed) std::ranges::reverse(all);
      CHECK_FALSE(detach(ledger, all.front(), "bridge-pons0/demo"));
      CHECK(detach(ledger, all.back(), "bridge-pons0/demo"));
      CHECK(bench.dump().empty());
    }
  }
}

TEST_CASE("the conversion waits for the host lock, once") {
  const LedgerBench bench;
  Ledger other = bench.open();
  for (const auto& attachment : attachments()) attach(other, attachment);
  makeOlder(bench);
  {
    const auto lock = other.lockHost().value();
    CHECK(Ledger::open(bench.path(), std::chrono::milliseconds{10}).failedWith(netlib::Cause::Locked));
  }
  CHECK(Ledger::open(bench.path(), std::chrono::milliseconds{10}).ok());
  const auto lock = other.lockHost().value();
  CHECK(Ledger::open(bench.path(), std::chrono::milliseconds{10}).ok());
  CHECK(Ledger::openExisting(bench.path(), std::chrono::milliseconds{10}).ok());
}

TEST_CASE("a damaged record keeps the references by which it is reconstructed; stale ones are removed") {
  const LedgerBench bench;
  const auto all = attachments();
  {
    Ledger ledger = bench.open();
    for (const auto& attachment : all) attach(ledger, attachment);
  }
  makeOlder(bench);
  support::setContent(bench.path() + "/networks/demo/attachments/c1:eth0.json", "{");
  fs::create_symlink("../../networks/demo/attachments/gone:eth0.json",
                     bench.path() + "/holds/bridge-pons0/demo:gone:eth0");
  Ledger ledger = bench.open();
  CHECK(bench.linkAt("holds/bridge-pons0/demo:gone:eth0").empty());
  CHECK(bench.linkAt("holds/bridge-pons0/demo:c2:eth0").empty());
  CHECK_FALSE(bench.linkAt("holds/bridge-pons0/demo/demo:c2:eth0").empty());
  {
    const auto record = ledger.find(keyOf("c1")).value();
    REQUIRE(record);
    CHECK(record->salvaged);
    CHECK(record->attachment.bridge.name.toString() == "pons0");
    CHECK(record->attachment.ingress == IngressPolicy::Isolated);
    CHECK(record->attachment.leases.size() == 1);
  }
  support::release(ledger, keyOf("c1"));
  support::release(ledger, keyOf("c2"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a reference that an older pons adds while it is replaced is removed with its record") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  for (const auto& attachment : attachments()) attach(ledger, attachment);
  fs::create_symlink("../../networks/demo/attachments/c1:eth0.json", bench.path() + "/holds/bridge-pons0/demo:c1:eth0");
  CHECK(ledger.networksOn(attachments().front().bridge.name)->size() == 1);
  CHECK(ledger.referencesTo("bridge-pons0")->size() == 2);
  support::release(ledger, keyOf("c1"));
  CHECK(ledger.staleClaims(keyOf("c1").network).value() == std::vector<std::string>{"holds/bridge-pons0/demo:c1:eth0"});
  CHECK(ledger.sweepClaims(ledger.lockHost().value(), keyOf("c1").network).ok());
  support::release(ledger, keyOf("c2"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a directory that is none of pons is not changed by those who only look") {
  const support::Scratch scratch;
  fs::create_directory(scratch / "other");
  fs::permissions(scratch / "other", fs::perms::owner_all);
  support::setContent(scratch / "other/networks", "something else");
  REQUIRE(Ledger::openExisting(scratch / "other", std::chrono::milliseconds{1}).ok());
  REQUIRE(Ledger::openIfPresent(scratch / "other", std::chrono::milliseconds{1}).ok());
  CHECK(std::distance(fs::directory_iterator{scratch / "other"}, {}) == 1);
}
