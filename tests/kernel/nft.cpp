#include <doctest/doctest.h>

#include "netlib/nft/content.h"
#include "netlib/nft/hook.h"

#include "tests/support/at_once.h"
#include "tests/support/attachments.h"
#include "tests/support/fake_host.h"

using namespace support;
using netlib::Family;
using netlib::Socket;
namespace nft = netlib::nft;

namespace {

const nft::Table kTable{Family::Ipv4, "t"};

Socket open() { return Socket::open(Socket::Subsystem::Netfilter).value(); }

std::vector<std::uint8_t> bytesOf(std::uint32_t number) {
  return {static_cast<std::uint8_t>(number >> 24), static_cast<std::uint8_t>(number >> 16),
          static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

// An element of the map "m".
nft::Element mapped(std::uint32_t key, std::uint32_t data) { return {.key = bytesOf(key), .data = bytesOf(data)}; }

template <class Changes>
netlib::Result<> commit(Socket& socket, Changes changes) {
  nft::Transaction transaction;
  changes(transaction);
  return transaction.commit(socket);
}

netlib::Result<> add(Socket& socket, const std::vector<nft::Element>& elements) {
  return commit(socket, [&](auto& t) { t.addElements(kTable, "m", elements); });
}
netlib::Result<> remove(Socket& socket, const std::vector<nft::Element>& elements) {
  return commit(socket, [&](auto& t) { t.deleteElements(kTable, "m", elements); });
}

// The table "t" with the map "m" of addresses to addresses.
Socket openWithMap() {
  Socket socket = open();
  const auto made = commit(socket, [](auto& t) {
    t.addTable(kTable);
    t.addSet(kTable,
             {.name = "m", .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kIpv4Addr, .dataLength = 4});
  });
  REQUIRE(made.ok());
  return socket;
}

/// The number of rules; none where there is no such chain.
std::size_t ruleCount(Socket& socket) { return nft::listRules(socket, kTable, "c").value().size(); }

std::string ruleset() { return outputOf({"nft", "list", "ruleset"}); }

}  // namespace

TEST_CASE("A table may be added again; deleting one that is missing is ENOENT") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = open();
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

TEST_CASE("An element that is there with equal data is fine, with other data EEXIST") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  REQUIRE(add(socket, {mapped(1, 10)}).ok());
  CHECK(add(socket, {mapped(1, 10)}).ok());
  const std::string before = ruleset();
  CHECK(add(socket, {mapped(2, 20), mapped(1, 11)}).failedWith(EEXIST));
  CHECK(ruleset() == before);
}

TEST_CASE("An element keeps its first comment, and a set may be added again where that is wanted") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  auto commented = [](std::uint32_t data, const std::string& text) {
    nft::Element element = mapped(1, data);
    element.comment = text;
    return element;
  };
  REQUIRE(add(socket, {commented(2, std::string(200, 'x'))}).ok());
  CHECK(add(socket, {commented(2, "another")}).ok());
  CHECK(add(socket, {commented(3, "another")}).failedWith(EEXIST));
  CHECK(nft::findElement(socket, kTable, "m", mapped(1, 0)).value()->comment == std::string(127, 'x'));
  const auto addSet = [&](nft::Transaction::Existing existing) {
    const nft::Set set{
        .name = "m", .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kIpv4Addr, .dataLength = 4};
    return commit(socket, [&](auto& t) { t.addSet(kTable, set, existing); });
  };
  CHECK(addSet(nft::Transaction::Existing::Kept).ok());
  CHECK(addSet(nft::Transaction::Existing::Refused).failedWith(EEXIST));
  CHECK(nft::listElements(socket, kTable, "m").value().size() == 1);
}

TEST_CASE("Of elements to delete, one that is missing keeps all; the key alone counts") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  REQUIRE(add(socket, {mapped(1, 10), mapped(2, 20)}).ok());
  const std::string before = ruleset();
  CHECK(remove(socket, {mapped(1, 10), mapped(3, 30)}).failedWith(ENOENT));
  CHECK(ruleset() == before);
  CHECK(remove(socket, {{.key = bytesOf(1)}, {.key = bytesOf(2)}}).ok());
  CHECK(nft::listElements(socket, kTable, "m").value().empty());
}

TEST_CASE("An element is found with its data; without it, its set or its table there is none") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  REQUIRE(add(socket, {mapped(1, 10)}).ok());
  const auto found = nft::findElement(socket, kTable, "m", {.key = bytesOf(1)}).value();
  REQUIRE(found);
  CHECK(*found == mapped(1, 10));
  CHECK(!nft::findElement(socket, kTable, "m", {.key = bytesOf(2)}).value());
  CHECK(!nft::findElement(socket, kTable, "none", {.key = bytesOf(1)}).value());
  CHECK(!nft::findElement(socket, {Family::Ipv4, "none"}, "m", {.key = bytesOf(1)}).value());
  CHECK(!nft::findElement(socket, {Family::Ipv6, "t"}, "m", {.key = bytesOf(1)}).value());
}

TEST_CASE("Five thousand elements come and go in one transaction") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  std::vector<nft::Element> many;
  for (std::uint32_t i = 0; i < 5000; ++i) many.push_back(mapped(i, ~i));
  REQUIRE(add(socket, many).ok());
  CHECK(nft::listElements(socket, kTable, "m").value().size() == many.size());
  for (const std::uint32_t i : {0U, 511U, 512U, 4999U}) {
    CHECK(nft::findElement(socket, kTable, "m", {.key = bytesOf(i)}).value() == mapped(i, ~i));
  }
  auto oneTooMany = many;
  oneTooMany.push_back(mapped(5000, 0));
  CHECK(remove(socket, oneTooMany).failedWith(ENOENT));
  CHECK(nft::listElements(socket, kTable, "m").value().size() == many.size());
  REQUIRE(remove(socket, many).ok());
  CHECK(nft::listElements(socket, kTable, "m").value().empty());
}

TEST_CASE("Elements whose data are longer than their keys go by their keys, as many as there are") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = open();
  const std::string chain(255, 'c');
  const std::string set(255, 's');
  REQUIRE(commit(socket, [&](auto& t) {
            t.addTable(kTable);
            t.addChain(kTable, chain, std::string(300, 'x'));
            t.addSet(kTable, {.name = set, .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kVerdict});
          }).ok());
  for (const std::uint32_t count : {1U, 190U, 300U, 3000U}) {
    CAPTURE(count);
    std::vector<nft::Element> many;
    for (std::uint32_t i = 0; i < count; ++i) many.push_back({.key = bytesOf(i), .jumpTo = chain});
    REQUIRE(commit(socket, [&](auto& t) { t.addElements(kTable, set, many); }).ok());
    const auto listed = nft::listElements(socket, kTable, set).value();
    REQUIRE(listed.size() == count);
    CHECK(listed.front().jumpTo == chain);
    CHECK(nft::findElement(socket, kTable, set, listed.back()).value() == listed.back());
    REQUIRE(commit(socket, [&](auto& t) { t.deleteElements(kTable, set, listed); }).ok());
    CHECK(nft::listElements(socket, kTable, set).value().empty());
  }
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

TEST_CASE("A map of intervals leads each subnet to its chain, up to the last address of all") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = open();
  const auto interval = [](std::uint32_t first, std::uint32_t end, const char* chain) {
    std::vector<nft::Element> elements{{.key = bytesOf(first), .jumpTo = chain}};
    if (end != 0) elements.push_back({.key = bytesOf(end), .intervalEnd = true});
    return elements;
  };
  const auto low = interval(0x0a2a0000, 0x0a2a0100, "c1");
  const auto high = interval(0xff000000, 0, "c2");
  REQUIRE(commit(socket, [&](auto& t) {
            t.addTable(kTable);
            t.addChain(kTable, "c1", "first");
            t.addChain(kTable, "c2", std::string(300, 'x'));
            t.addSet(
                kTable,
                {.name = "v", .keyType = nft::kIpv4Addr, .keyLength = 4, .dataType = nft::kVerdict, .interval = true});
            t.addElements(kTable, "v", low);
            t.addElements(kTable, "v", high);
          }).ok());
  CHECK(ruleset().find("10.42.0.0/24 : jump c1") != std::string::npos);
  CHECK(ruleset().find("255.0.0.0/8 : jump c2") != std::string::npos);
  CHECK(nft::findElement(socket, kTable, "v", low.front()).value()->jumpTo == "c1");
  CHECK(nft::findElement(socket, kTable, "v", high.front()).value()->jumpTo == "c2");
  // The same again is fine, an overlap is not, and a chain in use cannot go.
  CHECK(commit(socket, [&](auto& t) { t.addElements(kTable, "v", low); }).ok());
  const auto overlapping = interval(0x0a2a0080, 0x0a2a0200, "c2");
  CHECK(commit(socket, [&](auto& t) { t.addElements(kTable, "v", overlapping); }).failedWith(EEXIST));
  CHECK(commit(socket, [&](auto& t) { t.deleteChain(kTable, "c1"); }).failedWith(EBUSY));
  CHECK(commit(socket, [&](auto& t) {
          t.deleteElements(kTable, "v", low);
          t.deleteChain(kTable, "c1");
        }).ok());
  CHECK(nft::listChains(socket, kTable).value().size() == 1);
}

TEST_CASE("Rules are listed, and gone with their chain") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = open();
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
  Socket socket = open();
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
          Socket socket = open();
          const auto made = commit(socket, [](auto& t) {
            t.addTable(kTable);
            t.addChain(kTable, "c", "");
            t.addRule(kTable, "c", nft::Rule{}.drop());
          });
          return made.ok() || made.failedWith(EEXIST);
        }) == 6);
  Socket socket = open();
  CHECK(ruleCount(socket) == 1);
}

TEST_CASE("Which chains and sets a table has is known after one exchange, and ENOENT of one that is missing") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = open();
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
  Socket socket = open();
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
