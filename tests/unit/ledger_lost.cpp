// Claims that something other than pons has removed: they are found, restored, and never given to another attachment.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using netlib::Cause;
using pons::Ledger;
using namespace support;

namespace {

namespace fs = std::filesystem;

/// Has claims of every kind.
pons::Attachment rich(const std::string& container, const std::string& address, pons::Port port) {
  auto attachment = attachmentOf(keyOf(container), {{prefix(address + "/24"), ip("10.42.0.1")}},
                                 {forward("0.0.0.0", port), forward("::", port, pons::Protocol::Udp)});
  attachment.ingress = pons::IngressPolicy::SameBridge;
  attachment.resolvConf = pons::ResolvConf{"/run/" + container, "nameserver 10.42.0.1\n"};
  return attachment;
}

netlib::Result<> restore(Ledger& ledger, const pons::Attachment& attachment) {
  return ledger.restoreClaims(ledger.lockHost().value(), attachment);
}

bool isOf(const LedgerBench& bench, const std::string& link, const std::string& container) {
  return contains(bench.linkAt(link), "/" + container + ":eth0.json");
}

void giveTo(const LedgerBench& bench, const std::string& link, const std::string& target) {
  fs::remove(bench.path() + "/" + link);
  fs::create_symlink(target, bench.path() + "/" + link);
}

/// How often a claim of that address exists, in all networks.
std::size_t claimsOf(const LedgerBench& bench, const std::string& address) {
  const auto links = bench.links();
  return static_cast<std::size_t>(
      std::ranges::count_if(links, [&](const std::string& link) { return link.ends_with("/addresses/" + address); }));
}

/// That ADD trusts the directory, and reads no record.
bool isTrusted(const LedgerBench& bench, const std::string& network) {
  struct stat status {};
  const std::string directory = bench.path() + "/networks/" + network + "/addresses";
  REQUIRE(stat(directory.c_str(), &status) == 0);
  return status.st_mtim.tv_sec == 946684800 && status.st_mtim.tv_nsec == 0;
}

}  // namespace

TEST_CASE("each claim that is lost, alone or with its directory, is reported and restored") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto attachment = rich("c1", "10.42.0.7", 8080);
  attach(ledger, rich("c2", "10.42.0.8", 8081));
  attach(ledger, attachment);
  CHECK(ledger.missingClaims(attachment)->empty());
  const auto before = bench.dump();
  std::set<std::string> reported;
  for (const std::string& link : bench.links()) {
    if (!isOf(bench, link, "c1")) continue;
    CAPTURE(link);
    fs::remove(bench.path() + "/" + link);
    const auto missing = ledger.missingClaims(attachment).value();
    REQUIRE(missing.size() == 1);
    CHECK_FALSE(missing.front().owner);
    CHECK(reported.insert(missing.front().what).second);
    CHECK(restore(ledger, attachment).ok());
    CHECK(ledger.missingClaims(attachment)->empty());
    CHECK(bench.dump() == before);
  }
  CHECK(reported.contains("reservation of 10.42.0.7"));
  CHECK(reported.contains("reservation of host port 8080/tcp on 0.0.0.0"));
  CHECK(reported.contains("reference to ingress-pons0/same-bridge"));
  CHECK(reported.size() == 3 + pons::sharedStatesOf(attachment).size());

  for (const char* directory : {"networks/demo/addresses", "ports", "holds"}) {
    CAPTURE(directory);
    fs::remove_all(bench.path() + "/" + directory);
    CHECK_FALSE(ledger.missingClaims(attachment)->empty());
    for (const auto& each : {attachment, rich("c2", "10.42.0.8", 8081)}) CHECK(restore(ledger, each).ok());
    CHECK(bench.dump() == before);
  }
  for (const char* container : {"c1", "c2"}) support::release(ledger, keyOf(container));
  CHECK(bench.dump().empty());
}

TEST_CASE("what another attachment has claimed meanwhile is reported with its owner, and stays with it") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto attachment = rich("c1", "10.42.0.7", 8080);
  attach(ledger, attachment);
  attach(ledger, attachmentOf(keyOf("c2"), {}));
  std::string link;
  SUBCASE("the address") {
    link = "networks/demo/addresses/10.42.0.7";
    giveTo(bench, link, "../attachments/c2:eth0.json");
  }
  SUBCASE("the port") {
    link = "ports/tcp-8080/0.0.0.0";
    giveTo(bench, link, "../../networks/demo/attachments/c2:eth0.json");
  }
  SUBCASE("the port at one of its addresses") {
    fs::remove(bench.path() + "/ports/tcp-8080/0.0.0.0");
    link = "ports/tcp-8080/192.0.2.1";
    giveTo(bench, link, "../../networks/demo/attachments/c2:eth0.json");
  }
  fs::remove(bench.path() + "/holds/ingress-pons0/same-bridge/demo:c1:eth0");
  const auto missing = ledger.missingClaims(attachment).value();
  REQUIRE(missing.size() == 2);
  CHECK(missing.front().owner == keyOf("c2"));
  const auto restored = restore(ledger, attachment);
  CHECK(restored.failedWith(Cause::InUse));
  CHECK(contains(restored.error().message, "container c2 (eth0) of network demo"));
  CHECK(isOf(bench, link, "c2"));
  CHECK(ledger.missingClaims(attachment)->size() == 1);  // the reference is back
}

TEST_CASE("an address that a container of another network on the bridge has meanwhile is not restored") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto lost = attachmentOf(keyOf("c1", "one"), {{prefix("10.44.0.7/16"), std::nullopt}});
  attach(ledger, lost);
  attach(ledger, attachmentOf(keyOf("c2", "two"), {{prefix("10.44.0.8/16"), std::nullopt}}));
  fs::remove(bench.path() + "/networks/one/addresses/10.44.0.7");
  giveTo(bench, "networks/two/addresses/10.44.0.7", "../attachments/c2:eth0.json");
  REQUIRE(ledger.missingClaims(lost)->size() == 1);
  CHECK(ledger.missingClaims(lost)->front().owner == keyOf("c2", "two"));
  CHECK(restore(ledger, lost).failedWith(Cause::InUse));
  CHECK(claim(ledger, keyOf("c3", "one"), requestFor("10.44.0.0/16")).ok());
  CHECK(claimsOf(bench, "10.44.0.7") == 1);
}

TEST_CASE("a port that attachments of one container share is restored behind the others, and released with them") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto first = rich("c1", "10.42.0.7", 8080);
  attach(ledger, first);
  auto second = attachmentOf(keyOf("c1", "other"), {}, {forward("0.0.0.0", 8080)});
  attach(ledger, second);
  REQUIRE(contains(bench.linkAt("ports/tcp-8080/0.0.0.0@1"), "networks/other/"));
  fs::remove(bench.path() + "/ports/tcp-8080/0.0.0.0@1");
  fs::remove_all(bench.path() + "/holds/ports-c1");
  REQUIRE(ledger.missingClaims(second)->size() == 1);
  CHECK_FALSE(ledger.missingClaims(second)->front().owner);
  CHECK(restore(ledger, second).ok());
  CHECK(ledger.missingClaims(second)->empty());
  CHECK(ledger.portOwner(second.forwards.front()).value()->key == first.key);
  support::release(ledger, first.key);
  CHECK(ledger.portOwner(second.forwards.front()).value()->key == second.key);
  support::release(ledger, second.key);
  CHECK(bench.dump().empty());
}

TEST_CASE("a gateway address that the bridge has with another prefix length meanwhile is refused") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto lost = attachmentOf(keyOf("c1", "one"), {{prefix("10.44.0.7/16"), ip("10.44.0.1")}});
  attach(ledger, lost);
  fs::remove_all(bench.path() + "/holds/gateway-pons1-10.44.0.1");
  attach(ledger, attachmentOf(keyOf("c2", "two"), {{prefix("10.44.0.8/24"), ip("10.44.0.1")}}));
  CHECK(restore(ledger, lost).failedWith(Cause::InUse));
  CHECK(ledger.valuesOf("gateway-pons1-10.44.0.1").value() == std::vector<std::string>{"24"});
}

TEST_CASE("a lost address is never given to another container, and is claimed again by the next ADD") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::string directory = bench.path() + "/networks/one/addresses";
  for (const char* number : {"2", "3", "4"}) {
    const std::string address = std::string{"10.44.0."} + number;
    attach(ledger, attachmentOf(keyOf("c" + std::string{number}, "one"), {{prefix(address + "/29"), std::nullopt}}));
  }
  SUBCASE("one") { fs::remove(directory + "/10.44.0.3"); }
  SUBCASE("all, with their directory") { fs::remove_all(directory); }
  SUBCASE("and a DEL does not hide it") {
    fs::remove(directory + "/10.44.0.3");
    support::release(ledger, keyOf("c4", "one"));
  }
  SUBCASE("and an ADD in another network on the bridge finds it") {
    fs::remove(directory + "/10.44.0.3");
    pons::AddressRequest fixed;
    fixed.fixed = {{prefix("10.44.0.3/29"), std::nullopt}};
    const auto refused = claim(ledger, keyOf("t", "two"), fixed);
    CHECK(refused.failedWith(Cause::InUse));
    CHECK(contains(refused.error().message, "container c3 (eth0) of network one"));
  }
  const auto requested = claim(ledger, keyOf("r", "one"), requestFor("10.44.0.0/29", {"10.44.0.3"}));
  CHECK(requested.failedWith(Cause::InUse));
  CHECK(fs::is_symlink(directory + "/10.44.0.3"));
  CHECK(isTrusted(bench, "one"));

  std::set<std::string> given;
  for (int i = 0;; ++i) {
    const auto record = claim(ledger, keyOf("n" + std::to_string(i), "one"), requestFor("10.44.0.0/29"));
    if (!record) break;
    CHECK(given.insert(record->attachment.leases.front().address.address().toString()).second);
  }
  CHECK_FALSE(given.empty());
  CHECK_FALSE(given.contains("10.44.0.3"));
  CHECK_FALSE(given.contains("10.44.0.2"));
  CHECK(claimsOf(bench, "10.44.0.3") == 1);
}

TEST_CASE("ADD and DEL leave the directory of addresses trusted, unless something else has changed it") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::string addresses = bench.path() + "/networks/demo/addresses/";
  for (const char* number : {"2", "3", "4", "5"}) {
    const auto lease = prefix(std::string{"10.42.0."} + number + "/24");
    attach(ledger, attachmentOf(keyOf(std::string{"c"} + number), {{lease, std::nullopt}}));
    CHECK(isTrusted(bench, "demo"));
  }
  support::release(ledger, keyOf("c2"));
  CHECK(isTrusted(bench, "demo"));
  fs::remove(addresses + "3");
  CHECK(isTrusted(bench, "demo"));  // nothing was removed
  fs::remove(addresses + "10.42.0.3");
  CHECK_FALSE(isTrusted(bench, "demo"));
  support::release(ledger, keyOf("c4"));
  CHECK_FALSE(isTrusted(bench, "demo"));
  CHECK(claim(ledger, keyOf("late"), requestFor("10.42.0.0/24")).ok());
  CHECK(isTrusted(bench, "demo"));
  CHECK(isOf(bench, "networks/demo/addresses/10.42.0.3", "c3"));
  CHECK(isOf(bench, "networks/demo/addresses/10.42.0.5", "c5"));
}
