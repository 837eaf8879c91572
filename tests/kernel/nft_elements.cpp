// Elements of sets and maps.
#include <set>

#include "tests/kernel/nft_table.h"

using namespace support;
using netlib::Family;
using netlib::Socket;

namespace {

netlib::Result<> add(Socket& socket, const std::vector<nft::Element>& elements) {
  return commit(socket, [&](auto& t) { t.addElements(kTable, "m", elements); });
}
netlib::Result<> remove(Socket& socket, const std::vector<nft::Element>& elements) {
  return commit(socket, [&](auto& t) { t.deleteElements(kTable, "m", elements); });
}

}  // namespace

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
  Socket socket = openNetfilter();
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

// The elements of one datagram are 32 KiB at most; the kernel resizes the hash table after the transaction.
TEST_CASE("A listing has each element once, also while the kernel resizes the set") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openWithMap();
  for (std::uint32_t round = 0; round < 40; ++round) {
    CAPTURE(round);
    std::vector<nft::Element> many;
    for (std::uint32_t i = 0; i < 400 + 50 * round; ++i) {
      many.push_back(mapped(i * 7919, ~i));
      many.back().comment = std::string(127, 'x');
    }
    REQUIRE(add(socket, many).ok());
    const auto listed = nft::listElements(socket, kTable, "m").value();
    std::set<std::vector<std::uint8_t>> keys;
    for (const nft::Element& element : listed) keys.insert(element.key);
    CHECK(listed.size() == many.size());
    CHECK(keys.size() == many.size());
    REQUIRE(remove(socket, listed).ok());
  }
}

TEST_CASE("A map of intervals leads each subnet to its chain, up to the last address of all") {
  REQUIRE_FAKE_HOST(host);
  Socket socket = openNetfilter();
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
