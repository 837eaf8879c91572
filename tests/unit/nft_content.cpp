// Transactions that are never sent: every message is written within its bounds, and can be read again. The sanitizers
// watch.
#include <bit>

#include <doctest/doctest.h>

#include "netlib/nft/content.h"

#include "tests/support/attachments.h"

using namespace support;
using netlib::Family;
namespace nft = netlib::nft;

namespace {

const nft::Table kTable{nft::TableFamily::Bridge, std::string(255, 't')};

std::vector<std::uint8_t> keyOf(std::uint32_t number, std::size_t length) {
  std::vector<std::uint8_t> key(length);
  for (std::size_t i = 0; i < 4; ++i) key[i] = static_cast<std::uint8_t>(number >> 8 * i);
  return key;
}

std::vector<nft::Element> elements(std::uint32_t count, std::size_t keyLength, std::size_t dataLength,
                                   const std::string& jumpTo, bool intervalEnd = false) {
  std::vector<nft::Element> made;
  for (std::uint32_t i = 0; i < count; ++i) {
    made.push_back({.key = keyOf(i, keyLength), .data = std::vector<std::uint8_t>(dataLength, 7)});
    made.back().jumpTo = jumpTo;
    made.back().intervalEnd = intervalEnd;
  }
  return made;
}

}  // namespace

TEST_CASE("Elements of any length are added with their data and deleted without") {
  const std::string set(255, 's');
  for (const std::uint32_t count : {1U, 2U, 341U, 1000U}) {
    for (const std::size_t keyLength : {4U, 32U, 64U}) {
      for (const auto& all :
           {elements(count, keyLength, 0, ""), elements(count, keyLength, 64, ""), elements(count, keyLength, 0, "c"),
            elements(count, keyLength, 0, std::string(255, 'c')), elements(count, keyLength, 0, "", true)}) {
        CAPTURE(count);
        CAPTURE(keyLength);
        nft::Transaction transaction;
        transaction.addElements(kTable, set, all);
        transaction.deleteElements(kTable, set, all);
        const auto content = transaction.contentOf(kTable).value();
        CHECK(content.sets.at(set).elements == all);
        CHECK(content.sets.at(set).absent == elements(count, keyLength, 0, "", all.front().intervalEnd));
      }
    }
  }
}

TEST_CASE("Objects with the longest names and comments are written, and only those of one table read") {
  const std::string name(255, 'n');
  nft::Transaction transaction;
  transaction.addTable(kTable);
  transaction.addChain(kTable, name, std::string(1000, 'x'));
  transaction.addBaseChain(kTable, {.name = "b" + name.substr(1), .type = "filter", .hook = 2, .priority = -300});
  transaction.addSet(kTable, {.name = name,
                              .keyType = nft::concat(nft::kIfname, nft::kIpv6Addr),
                              .keyLength = 32,
                              .dataType = nft::kVerdict,
                              .interval = true,
                              .rawField = nft::Field{nft::Header::Transport, 8, 16}});
  transaction.addRule(kTable, name,
                      nft::Rule{}
                          .iifname("eth0")
                          .daddr(prefix("fd00::/8"))
                          .loadIifname(0)
                          .loadDaddr(Family::Ipv6, 4)
                          .vmap(name, 0)
                          .limit(5, nft::LimitUnit::Minute)
                          .log(std::string(1000, 'l'))
                          .ctState(nft::kEstablished)
                          .counter()
                          .jump(name)
                          .comment(std::string(1000, 'x')));
  transaction.deleteRule(kTable, name, 7);
  transaction.deleteChain(kTable, name);
  transaction.deleteSet(kTable, name);
  transaction.deleteTable(kTable);
  transaction.addChain({nft::TableFamily::Bridge, "other"}, "theirs");
  transaction.addChain({Family::Ipv4, kTable.name}, "theirs");

  const auto content = transaction.contentOf(kTable).value();
  REQUIRE(content.chains.size() == 2);
  CHECK(content.chains.at(name).isWhole);
  CHECK(content.chains.at(name).base.empty());
  CHECK(content.chains.at("b" + name.substr(1)).base == "type filter hook forward priority -300 policy accept");
  REQUIRE(content.chains.at(name).rules.size() == 1);
  const std::string& rule = content.chains.at(name).rules.front();
  CHECK_MESSAGE(rule.starts_with("[ meta load iifname => reg 1 ] [ cmp eq reg 1 "), rule);
  CHECK_MESSAGE(rule.ends_with("[ counter pkts 0 bytes 0 ] [ immediate reg 0 jump -> " + name + " ]"), rule);
  CHECK(content.sets.at(name).type == "ifname . ipv6_addr (32 bytes) : verdict flags 12");
  CHECK(content.sets.at(name).interval);
}

TEST_CASE("What cannot fit into a message is refused before anything is sent") {
  const std::string name(70000, 'n');
  // Of any subsystem: qemu's user emulation has none of netfilter.
  auto socket = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
  const std::vector<nft::Element> tooLong{{.key = keyOf(1, 4), .jumpTo = name}};
  const auto refused = [&](const auto& change) {
    nft::Transaction transaction;
    change(transaction);
    return transaction.commit(socket).failedWith(netlib::Cause::Invalid);
  };
  CHECK(refused([&](nft::Transaction& t) { t.addTable({Family::Ipv4, name}); }));
  CHECK(refused([&](nft::Transaction& t) { t.addChain(kTable, name); }));
  CHECK(refused([&](nft::Transaction& t) { t.addRule(kTable, "c", nft::Rule{}.jump(name)); }));
  CHECK(refused([&](nft::Transaction& t) { t.addElements(kTable, "s", tooLong); }));
  CHECK(nft::listElements(socket, kTable, name).failedWith(netlib::Cause::Invalid));
}

TEST_CASE("Elements are shown as nft prints them") {
  nft::SetContent set;
  const auto shown = [&set](std::uint32_t type, std::vector<std::uint8_t> key) {
    set.keyType = type;
    return nft::keyText({.key = std::move(key)}, set);
  };
  std::vector<std::uint8_t> port = nft::keyOf(netlib::IfName::parse("eth0").value());
  CHECK(shown(nft::kIfname, port) == "\"eth0\"");
  nft::appendPadded(port, netlib::MacAddress::parse("02:00:00:00:00:01")->bytes());
  CHECK(shown(nft::concat(nft::kIfname, nft::kEtherAddr), port) == "\"eth0\" . 02:00:00:00:00:01");
  CHECK(shown(nft::concat(nft::kInetProto, nft::kInetService), {6, 0, 0, 0, 0x1f, 0x90, 0, 0}) == "tcp . 8080");
  CHECK(shown(nft::kInetService, {0, 53}) == "53");
  CHECK(shown(nft::kIpv4Addr, {10, 42, 0, 7}) == "10.42.0.7");
  const auto mark = std::bit_cast<std::array<std::uint8_t, 4>>(0x01020304U);
  CHECK(shown(nft::kMark, {mark.begin(), mark.end()}) == "0x01020304");
  CHECK(shown(nft::kIpv4Addr, {10, 42}) == "0x0a2a");  // another length than that of its type

  const auto interval = [](std::vector<std::uint8_t> start, std::vector<std::uint8_t> end, std::uint32_t type) {
    const nft::Element after{.key = end, .intervalEnd = true};
    return nft::intervalText({.key = std::move(start)}, end.empty() ? nullptr : &after, {.keyType = type});
  };
  CHECK(interval({10, 42, 0, 0}, {10, 42, 1, 0}, nft::kIpv4Addr) == "10.42.0.0/24");
  CHECK(interval({10, 42, 0, 0}, {10, 42, 1, 1}, nft::kIpv4Addr) == "10.42.0.0-10.42.1.0");
  CHECK(interval({10, 42, 0, 1}, {10, 42, 0, 2}, nft::kIpv4Addr) == "10.42.0.1/32");
  CHECK(interval({224, 0, 0, 0}, {}, nft::kIpv4Addr) == "224.0.0.0/3");
  CHECK(interval({0, 0, 0, 0}, {}, nft::kIpv4Addr) == "0.0.0.0/0");
  CHECK(interval({255, 255, 255, 254}, {255, 255, 255, 255}, nft::kIpv4Addr) == "255.255.255.254/32");
  CHECK(interval({0, 80}, {1, 0}, nft::kInetService) == "80-255");
  set.dataType = nft::concat(nft::kIpv4Addr, nft::kInetService);
  CHECK(nft::dataText({.key = {}, .data = {10, 42, 0, 7, 0, 80, 0, 0}}, set) == "10.42.0.7 . 80");
  CHECK(nft::dataText({.key = {}, .jumpTo = "c"}, set) == "jump c");
  CHECK(nft::dataText({.key = {}}, set).empty());
}
