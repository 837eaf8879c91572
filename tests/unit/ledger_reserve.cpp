// Reservations, and networks that share a bridge.
#include <set>

#include <doctest/doctest.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using netlib::Cause;
using pons::AddressRequest;
using pons::Ledger;
using pons::Range;
using namespace support;

namespace {

/// Part of 10.44.0.0/16, or of another subnet.
AddressRequest rangeFor(const std::string& first, const std::string& last, const std::string& subnet = "10.44.0.0/16") {
  AddressRequest request;
  request.sets = {{Range::make(prefix(subnet), ip(first), ip(last), std::nullopt).value()}};
  return request;
}

AddressRequest fixedAt(const std::string& address, std::optional<netlib::IpAddress> gateway = std::nullopt) {
  AddressRequest request;
  request.fixed = {{prefix(address), gateway}};
  return request;
}

/// Networks "one", "two" and "three" are on the bridge pons1, "demo" is on pons0; see attachmentOf().
netlib::Result<std::string, pons::Refusal> addressFor(Ledger& ledger, const pons::AttachmentKey& key,
                                                      const AddressRequest& request) {
  const pons::Record record = TRY(claim(ledger, key, request));
  return record.attachment.leases.front().address.address().toString();
}

}  // namespace

TEST_CASE("a reservation holds the locks and writes nothing; without write() nothing of it remains") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const support::Scratch scratch;
  AddressRequest request = requestFor("10.42.0.0/24");
  request.hostLocalDir = scratch.path();
  const auto isHostLocalFree = [&] {
    return pons::HostLocal::lock(scratch.path(), keyOf("c1").network, std::chrono::milliseconds{1}).ok();
  };
  const auto before = bench.dump();
  {
    auto reservation = support::reserve(ledger, keyOf("c1"), request);
    REQUIRE(reservation.ok());
    CHECK(reservation->leases().size() == 1);
    // Also in the hands of another owner.
    const pons::Reservation moved = std::move(reservation).value();
    CHECK(bench.dump() == before);
    CHECK_FALSE(bench.open().lockHost().ok());
    CHECK_FALSE(isHostLocalFree());
    CHECK(ledger.attachments()->empty());
  }
  CHECK(ledger.lockHost().ok());
  CHECK(isHostLocalFree());

  auto reservation = support::reserve(ledger, keyOf("c1"), request).value();
  const auto lease = reservation.leases().front();
  const auto record = std::move(reservation).write(support::attachmentOf(keyOf("c1"), {lease}));
  REQUIRE(record.ok());
  CHECK(ledger.lockHost().ok());
  CHECK(isHostLocalFree());
  CHECK(std::filesystem::exists(scratch / ("demo/" + lease.address.address().toString())));
}

TEST_CASE("write() leaves nothing and holds nothing where it is refused, and names who has what was asked for") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto request = requestFor("10.42.0.0/24");
  auto first = support::reserve(ledger, keyOf("c1"), request).value();
  auto attachment = support::attachmentOf(keyOf("c1"), first.leases(), {support::forward("0.0.0.0", 8080)});
  attachment.resolvConf = pons::ResolvConf{"/run/root", "nameserver 10.42.0.1\n"};
  REQUIRE(std::move(first).write(attachment).ok());
  const auto before = bench.dump();

  auto reservation = support::reserve(ledger, keyOf("c2"), request).value();
  auto second = support::attachmentOf(keyOf("c2"), reservation.leases());
  SUBCASE("a port") { second.forwards = attachment.forwards; }
  SUBCASE("a resolv.conf") { second.resolvConf = attachment.resolvConf; }
  const auto refused = std::move(reservation).write(second);
  REQUIRE(refused.failedWith(Cause::InUse));
  CHECK(refused.error().holder == keyOf("c1"));
  CHECK(bench.dump() == before);
  CHECK(ledger.lockHost().ok());
}

TEST_CASE("a range of one network and fixed addresses of others within it never give an address twice") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto pool = rangeFor("10.44.0.10", "10.44.0.13");
  for (const bool fixedFirst : {true, false}) {
    CAPTURE(fixedFirst);
    std::set<std::string> given;
    const auto isNew = [&](const netlib::Result<std::string, pons::Refusal>& address) {
      return address.ok() && given.insert(*address).second;
    };
    if (fixedFirst) CHECK(isNew(addressFor(ledger, keyOf("s", "two"), fixedAt("10.44.0.12/16"))));
    const int ofPool = fixedFirst ? 3 : 4;
    for (int i = 0; i < ofPool; ++i) CHECK(isNew(addressFor(ledger, keyOf("c" + std::to_string(i), "one"), pool)));
    const auto full = addressFor(ledger, keyOf("late", "one"), pool);
    CHECK(full.failedWith(Cause::Exhausted));
    CHECK(contains(full.error().message, "4 of 4 addresses"));
    CHECK(ledger.checkFree(keyOf("late", "one").network, *netlib::IfName::parse("pons1"), pool)
              .failedWith(Cause::Exhausted));

    const auto fixed = addressFor(ledger, keyOf("t", "three"), fixedAt("10.44.0.12/16"));
    CHECK(fixed.failedWith(Cause::InUse));
    CHECK(contains(fixed.error().message, fixedFirst ? "container s (eth0) of network two" : "of network one"));
    AddressRequest requested = pool;
    requested.requested = {ip("10.44.0.12")};
    CHECK(addressFor(ledger, keyOf("late", "one"), requested).failedWith(Cause::InUse));
    // Another bridge is another link.
    CHECK(addressFor(ledger, keyOf("t"), fixedAt("10.44.0.12/16")).ok());
    support::release(ledger, keyOf("t"));

    for (const char* one : {"c0", "c1", "c2", "c3"}) support::release(ledger, keyOf(one, "one"));
    support::release(ledger, keyOf("s", "two"));
    CHECK(bench.dump().empty());
  }
}

TEST_CASE("a fixed address that is free again can be given by any network") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto pool = rangeFor("10.44.0.10", "10.44.0.10");
  REQUIRE(addressFor(ledger, keyOf("s", "two"), fixedAt("10.44.0.10/16")).ok());
  CHECK(addressFor(ledger, keyOf("c", "one"), pool).failedWith(Cause::Exhausted));
  SUBCASE("released") { support::release(ledger, keyOf("s", "two")); }
  SUBCASE("its record is gone") { std::filesystem::remove(bench.path() + "/networks/two/attachments/s:eth0.json"); }
  CHECK(addressFor(ledger, keyOf("c", "one"), pool).ok());
}

TEST_CASE("networks on one bridge have disjoint ranges: an overlap is refused with the other network's attachment") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  REQUIRE(addressFor(ledger, keyOf("a", "one"), rangeFor("10.44.0.10", "10.44.0.99")).ok());
  REQUIRE(addressFor(ledger, keyOf("b", "three"), rangeFor("10.44.1.10", "10.44.1.99")).ok());
  const auto before = bench.dump();
  const auto overlapping = rangeFor("10.44.0.50", "10.44.0.150");
  const auto refused = addressFor(ledger, keyOf("c", "two"), overlapping);
  REQUIRE(refused.failedWith(Cause::InUse));
  CHECK(refused.error().message ==
        "network two's range 10.44.0.50-10.44.0.150 overlaps 10.44.0.10-10.44.0.99 of network one on bridge pons1");
  CHECK(refused.error().holder == keyOf("a", "one"));
  AddressRequest second = rangeFor("10.44.2.10", "10.44.2.99");
  second.sets.front().push_back(rangeFor("10.44.1.99", "10.44.1.100").sets.front().front());
  CHECK(addressFor(ledger, keyOf("c", "two"), second).failedWith(Cause::InUse));
  CHECK(bench.dump() == before);

  SUBCASE("a network that is there already, whose ranges have changed") {
    REQUIRE(addressFor(ledger, keyOf("d", "two"), rangeFor("10.44.2.10", "10.44.2.99")).ok());
    CHECK(addressFor(ledger, keyOf("c", "two"), overlapping).failedWith(Cause::InUse));
    CHECK(addressFor(ledger, keyOf("c", "two"), rangeFor("10.44.2.10", "10.44.2.99")).ok());
  }
  SUBCASE("another bridge") { CHECK(addressFor(ledger, keyOf("c", "demo"), overlapping).ok()); }
  SUBCASE("another family") {
    CHECK(addressFor(ledger, keyOf("c", "two"), rangeFor("fd44::10", "fd44::99", "fd44::/64")).ok());
  }
  SUBCASE("the other network has gone") {
    support::release(ledger, keyOf("a", "one"));
    CHECK(addressFor(ledger, keyOf("c", "two"), overlapping).ok());
    const auto late = addressFor(ledger, keyOf("a", "one"), rangeFor("10.44.0.10", "10.44.0.99"));
    CHECK(late.failedWith(Cause::InUse));
    CHECK(late.error().holder == keyOf("c", "two"));
  }
  SUBCASE("its record has gone") {
    std::filesystem::remove(bench.path() + "/networks/one/attachments/a:eth0.json");
    CHECK(addressFor(ledger, keyOf("c", "two"), overlapping).ok());
  }
}

TEST_CASE("networks on one bridge share a gateway address, with one prefix length") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  REQUIRE(addressFor(ledger, keyOf("a", "one"), rangeFor("10.44.0.10", "10.44.0.99")).ok());
  REQUIRE(addressFor(ledger, keyOf("b", "two"), fixedAt("10.44.1.10/16", ip("10.44.0.1"))).ok());
  const auto before = bench.dump();
  const auto wrong = fixedAt("10.44.0.200/24", ip("10.44.0.1"));
  const auto refused = addressFor(ledger, keyOf("c", "three"), wrong);
  REQUIRE(refused.failedWith(Cause::InUse));
  CHECK(contains(refused.error().message, "gateway address 10.44.0.1/24"));
  CHECK(contains(refused.error().message, "prefix length 16"));
  REQUIRE(refused.error().holder);
  CHECK(contains(refused.error().message, "of network " + refused.error().holder->network.toString()));
  CHECK(bench.dump() == before);
  CHECK(addressFor(ledger, keyOf("c", "demo"), wrong).ok());  // on another bridge

  support::release(ledger, keyOf("a", "one"));
  CHECK(addressFor(ledger, keyOf("c", "three"), wrong).failedWith(Cause::InUse));
  SUBCASE("the last one is released") { support::release(ledger, keyOf("b", "two")); }
  SUBCASE("the last record has gone") {
    std::filesystem::remove(bench.path() + "/networks/two/attachments/b:eth0.json");
  }
  CHECK(addressFor(ledger, keyOf("c", "three"), wrong).ok());
  CHECK(addressFor(ledger, keyOf("b", "one"), fixedAt("10.44.1.10/16", ip("10.44.0.1"))).failedWith(Cause::InUse));
}
