// Tables, chains, rules and transactions.
#include "netlib/nft/content.h"
#include "netlib/nft/hook.h"

#include "tests/kernel/nft_table.h"
#include "tests/support/at_once.h"
#include "tests/support/attachments.h"

using namespace support;
using netlib::Family;
using netlib::Socket;

namespace {

/// The number of rules; none where there is no such chain.
std::size_t ruleCount(Socket& socket) { return nft::listRules(socket, kTable, "c").value().size(); }

}  // namespace

TEST_CASE("A table may be added again; deleting one that is missing is ENOENT") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
  const auto addTable = [](auto& t) { t.addTable(kTable); };
  CHECK(commit(socket, addTable).ok());
  const std::string once = ruleset();
  CHECK(commit(socket, addTable).ok());
  CHECK(ruleset() == once);
  CHECK(commit(socket, [](auto& t) { t.deleteTable(kTable); }).ok());
  CHECK(ruleset().empty());
  const auto missing = commit(socket, [](auto& t) { t.deleteTable(kTable); });
  REQUIRE(missing.failedWith(ENOENT));
  CHECK(missing.error().message.find("delete nf_tables table t") != std::string::npos);
}

TEST_CASE("A name that is too long for the kernel, or for a message, is an error that changes nothing") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  const std::string before = ruleset();
  for (const std::size_t length : {256U, 4000U, 65500U, 70000U}) {
    CAPTURE(length);
    const std::string name(length, 'n');
    const std::vector<nft::Element> elements{{.key = bytesOf(1), .jumpTo = name}};
    CHECK(!commit(socket, [&](auto& t) { t.addTable({Family::Ipv4, name}); }).ok());
    CHECK(!commit(socket, [&](auto& t) { t.addChain(kTable, name); }).ok());
    CHECK(!commit(socket, [&](auto& t) { t.addSet(kTable, {.name = name, .keyType = 1, .keyLength = 4}); }).ok());
    CHECK(!commit(socket, [&](auto& t) { t.addElements(kTable, "m", elements); }).ok());
    CHECK(!commit(socket, [&](auto& t) {
             t.addChain(kTable, "c");
             t.addRule(kTable, "c", nft::Rule{}.jump(name));
           }).ok());
    CHECK(!nft::listElements(socket, kTable, name).ok());
    CHECK(!nft::hasChain(socket, kTable, name).ok());
  }
  CHECK(ruleset() == before);
}

TEST_CASE("Rules are listed, and gone with their chain") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
  CHECK(!nft::hasChain(socket, kTable, "c").value());
  REQUIRE(commit(socket, [](auto& t) {
            t.addTable(kTable);
            t.addChain(kTable, "c", "mine");
          }).ok());
  CHECK(ruleCount(socket) == 0);
  CHECK(nft::hasChain(socket, kTable, "c").value());
  REQUIRE(commit(socket, [](auto& t) {
            for (int i = 0; i < 3; ++i)
              t.addRule(kTable, "c", nft::Rule{}.fibDaddrType(nft::AddressType::Local).drop());
          }).ok());
  CHECK(ruleCount(socket) == 3);
  CHECK(commit(socket, [](auto& t) { t.addChain(kTable, "c", "again"); }).failedWith(EEXIST));
  REQUIRE(commit(socket, [](auto& t) { t.deleteChain(kTable, "c"); }).ok());
  CHECK(!nft::hasChain(socket, kTable, "c").value());
  CHECK(commit(socket, [](auto& t) { t.deleteChain(kTable, "c"); }).failedWith(ENOENT));
}

TEST_CASE("One change that fails undoes all others of its transaction, and is named") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  const std::string before = ruleset();
  const std::vector<nft::Element> elements{mapped(1, 10)};
  const auto failed = commit(socket, [&](auto& t) {
    t.addChain(kTable, "c", "");
    t.addElements(kTable, "m", elements);
    t.addElements(kTable, "missing", elements);
  });
  REQUIRE(failed.failedWith(ENOENT));
  CHECK(failed.error().message.find("missing") != std::string::npos);
  CHECK(ruleset() == before);
}

TEST_CASE("A transaction that is only checked changes nothing, and fails as it would") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
  nft::Transaction good;
  good.addTable(kTable);
  good.addBaseChain(kTable, {.name = "c", .type = "filter", .hook = 0, .priority = 0});
  CHECK(good.check(socket).ok());
  nft::Transaction wrong;
  wrong.addTable(kTable);
  wrong.addBaseChain(kTable, {.name = "c", .type = "nosuch", .hook = 0, .priority = 0});
  const auto checked = wrong.check(socket);
  REQUIRE(!checked.ok());
  CHECK(checked.error().message.find("chain c") != std::string::npos);
  CHECK(ruleset().empty());
}

TEST_CASE("If several transactions create the same chain at once, one succeeds, and the others fail") {
  REQUIRE_FAKE_HOST(host);
  CHECK(atOnce(6, [](int) {
          Socket socket = openNetfilter();
          const auto made = commit(socket, [](auto& t) {
            t.addTable(kTable);
            t.addChain(kTable, "c", "");
            t.addRule(kTable, "c", nft::Rule{}.drop());
          });
          return made.ok() || made.failedWith(EEXIST);
        }) == 6);
  Socket socket = openNetfilter();
  CHECK(ruleCount(socket) == 1);
}

TEST_CASE("Which chains and sets a table has is known after one exchange, and ENOENT of one that is missing") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
  const nft::Names wanted{.chains = {"b", "c", "s"}, .sets = {"c", "s", "t"}};
  CHECK(nft::present(socket, kTable, wanted).failedWith(ENOENT));
  REQUIRE(commit(socket, [](auto& t) {
            t.addTable(kTable);
            for (const char* name : {"a", "c"}) t.addChain(kTable, name);
            for (const char* name : {"s", "x"}) {
              t.addSet(kTable, {.name = name, .keyType = nft::kIpv4Addr, .keyLength = 4});
            }
          }).ok());
  const auto found = nft::present(socket, kTable, wanted);
  REQUIRE(found.ok());
  CHECK(found->chains == std::set<std::string>{"c"});
  CHECK(found->sets == std::set<std::string>{"s"});
  CHECK(nft::present(socket, kTable, {}).ok());
}

TEST_CASE("A rule that is inserted is the first one, in the kernel and in what a transaction says of itself") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
  nft::Transaction transaction;
  transaction.addTable(kTable);
  transaction.addChain(kTable, "c");
  transaction.addRule(kTable, "c", nft::Rule{}.l4proto(1).accept());
  transaction.insertRule(kTable, "c", nft::Rule{}.l4proto(2).accept());
  transaction.addRule(kTable, "c", nft::Rule{}.l4proto(3).accept());
  transaction.insertRule(kTable, "c", nft::Rule{}.l4proto(4).accept());
  const auto wanted = transaction.contentOf(kTable).value();
  REQUIRE(transaction.commit(socket).ok());
  const auto present = nft::listContent(socket, kTable, wanted).value();
  REQUIRE(present);
  const auto& rules = wanted.chains.at("c").rules;
  CHECK(rules == present->chains.at("c").rules);
  REQUIRE(rules.size() == 4);
  CHECK(rules.front().find("0x00000004") != std::string::npos);
  CHECK(rules.back().find("0x00000003") != std::string::npos);
}
