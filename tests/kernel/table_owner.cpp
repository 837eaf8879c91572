// Tables of pons belong to one ledger: the kernel refuses the transactions of another one, without a look before.
#include "plugin/firewall/table_owner.h"

#include <doctest/doctest.h>

#include "plugin/firewall/table_transaction.h"

#include "tests/support/runtime.h"
#include "tests/support/text.h"

using namespace support;
namespace nft = netlib::nft;
namespace tables = pons::tables;
using tables::TableFamily;

namespace {

pons::Host hostAt(const std::string& stateDir) {
  return pons::Host::open(pons::Ledger::open(stateDir, std::chrono::milliseconds{50}).value()).value();
}

/// What rebuild() writes without attachments.
netlib::Result<> make(pons::Host& host, const std::set<TableFamily>& families) {
  return tables::replaceTables(host, families, [&](nft::Transaction& transaction) {
    for (const TableFamily family : families) {
      tables::appendSkeleton(transaction, family, tables::allParts(family));
      tables::appendOwner(transaction, family, host.ledger);
    }
  });
}

tables::Changes addingChain(TableFamily family, const std::string& name) {
  return [=](nft::Transaction& transaction) { transaction.addChain(tables::tableOf(family), name); };
}
tables::Changes deletingChain(TableFamily family, const std::string& name) {
  return [=](nft::Transaction& transaction) { transaction.deleteChain(tables::tableOf(family), name); };
}
tables::Changes deletingTable(TableFamily family) {
  return [=](nft::Transaction& transaction) { transaction.deleteTable(tables::tableOf(family)); };
}

std::string ruleset() { return outputOf({"nft", "list", "ruleset"}); }

}  // namespace

TEST_CASE("A table belongs to the ledger that made it: another one neither adds, removes nor replaces") {
  REQUIRE_FAKE_HOST(fake);
  pons::Host first = hostAt("/run/pons");
  pons::Host second = hostAt("/run/other");
  const std::set<TableFamily> all{tables::kAll.begin(), tables::kAll.end()};
  REQUIRE(make(first, all).ok());
  for (const TableFamily family : tables::kAll) {
    CAPTURE(tables::nameOf(family));
    REQUIRE(tables::commitAsOwner(first, {family}, addingChain(family, "mine")).ok());
    CHECK(tables::ownerOf(first, family).value()->isOurs);
    CHECK_FALSE(tables::ownerOf(second, family).value()->isOurs);
    CHECK(tables::ownerOf(second, family).value()->ledger == "/run/pons");
    const std::string before = ruleset();
    const auto refused = tables::commitAsOwner(second, {family}, addingChain(family, "theirs"));
    CHECK(refused.failedWith(netlib::Cause::InUse));
    CHECK_MESSAGE(contains(refused.error().message, "belongs to the state directory /run/pons"),
                  refused.error().message);
    CHECK(make(second, {family}).failedWith(netlib::Cause::InUse));
    CHECK(tables::removeAsOwner(second, family, deletingChain(family, "mine")).ok());
    CHECK(tables::removeAsOwner(second, family, deletingTable(family)).ok());
    CHECK(tables::removeTable(second, family).ok());
    CHECK(ruleset() == before);
    CHECK(tables::removeAsOwner(first, family, deletingChain(family, "mine")).ok());
    CHECK(tables::removeAsOwner(first, family, deletingChain(family, "mine")).failedWith(ENOENT));
  }
  CHECK(tables::owners(first.netfilter).value() == std::set<std::string>{"/run/pons"});
  for (const TableFamily family : tables::kAll) CHECK(tables::removeTable(first, family).ok());
  CHECK(ruleset().empty());
  CHECK(make(second, all).ok());
  CHECK(make(first, {TableFamily::Ipv6}).failedWith(netlib::Cause::InUse));
}

TEST_CASE("Where one of several tables is another ledger's, a transaction changes none") {
  REQUIRE_FAKE_HOST(fake);
  pons::Host first = hostAt("/run/pons");
  pons::Host second = hostAt("/run/other");
  REQUIRE(make(first, {TableFamily::Bridge}).ok());
  const std::string before = ruleset();
  CHECK(make(second, {TableFamily::Ipv4, TableFamily::Bridge}).failedWith(netlib::Cause::InUse));
  CHECK(ruleset() == before);
  REQUIRE(make(second, {TableFamily::Ipv4}).ok());
  const std::string both = ruleset();
  const auto refused =
      tables::commitAsOwner(second, {TableFamily::Ipv4, TableFamily::Bridge}, addingChain(TableFamily::Ipv4, "mine"));
  CHECK(refused.failedWith(netlib::Cause::InUse));
  CHECK(ruleset() == both);
}

TEST_CASE("A table without an owner is rebuilt by additions, and removals change it as it is") {
  REQUIRE_FAKE_HOST(fake);
  pons::Host host = hostAt("/run/pons");
  constexpr TableFamily kIp = TableFamily::Ipv4;
  CHECK(tables::commitAsOwner(host, {kIp}, addingChain(kIp, "mine")).failedWith(ENOENT));
  CHECK(tables::removeTable(host, kIp).ok());
  outputOf({"nft", "add table ip pons; add chain ip pons old; add chain ip pons older"});
  CHECK_FALSE(tables::ownerOf(host, kIp).value().has_value());
  CHECK(tables::commitAsOwner(host, {kIp}, addingChain(kIp, "mine")).failedWith(ENOENT));
  CHECK(tables::removeAsOwner(host, kIp, deletingChain(kIp, "old")).ok());
  CHECK(!contains(ruleset(), "chain old {"));
  CHECK(contains(ruleset(), "chain older {"));
  REQUIRE(make(host, {kIp}).ok());
  CHECK(!contains(ruleset(), "chain older {"));
  CHECK(tables::commitAsOwner(host, {kIp}, addingChain(kIp, "mine")).ok());
}

TEST_CASE("The table of a removed state directory is replaced, unless a link still names that directory") {
  REQUIRE_FAKE_HOST(fake);
  constexpr TableFamily kIp = TableFamily::Ipv4;
  {
    pons::Host removed = hostAt("/run/removed");
    REQUIRE(make(removed, {kIp}).ok());
  }
  std::filesystem::remove_all("/run/removed");
  pons::Host host = hostAt("/run/pons");
  std::vector<std::string> notes;
  host.note = [&notes](std::string_view /*event*/, const std::string& what) { notes.push_back(what); };
  outputOf({"ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1"});
  outputOf({"ip", "link", "set", "v0", "alias", "pons /run/removed demo c1 eth0"});
  CHECK(make(host, {kIp}).failedWith(netlib::Cause::InUse));
  CHECK(tables::commitAsOwner(host, {kIp}, addingChain(kIp, "mine")).failedWith(netlib::Cause::InUse));
  outputOf({"ip", "link", "del", "v0"});
  CHECK(tables::commitAsOwner(host, {kIp}, addingChain(kIp, "mine")).failedWith(ENOENT));
  CHECK(notes.empty());
  REQUIRE(make(host, {kIp}).ok());
  REQUIRE(notes.size() == 1);
  CHECK_MESSAGE(contains(notes.front(), "/run/removed"), notes.front());
  CHECK(tables::ownerOf(host, kIp).value()->isOurs);
}
