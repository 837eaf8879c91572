#include "plugin/ledger/address_pool.h"

#include <map>
#include <random>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/attachments.h"

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::Uint128;
using pons::AddressPool;
using pons::Range;
using pons::RangeSet;
using support::ip;
using support::prefix;

namespace {

Range rangeOf(const std::string& subnet) {
  return Range::make(prefix(subnet), std::nullopt, std::nullopt, std::nullopt).value();
}

/// Deterministic; uniform enough for a test.
pons::RandomBelow seeded(unsigned seed) {
  return
      [engine = std::mt19937_64{seed}](Uint128 bound) mutable { return (Uint128{engine()} << 64 | engine()) % bound; };
}

std::string errorOf(const netlib::Result<Range>& range) { return range.ok() ? "" : range.error().message; }

/// A valid subnet of that length.
IpPrefix subnetOf(Family family, int length) {
  const IpAddress base = family == Family::Ipv4 ? ip("100.64.32.16") : ip("2001:db8:1:2:3:4:5:600");
  return IpPrefix::of(base, length)->network();
}

}  // namespace

TEST_CASE("every prefix length has a pool of its host bits") {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const int bits = netlib::bitsOf(family);
    for (int length = 4; length <= bits; ++length) {
      const IpPrefix subnet = subnetOf(family, length);
      CAPTURE(subnet.toString());
      const auto range = Range::make(subnet, std::nullopt, std::nullopt, std::nullopt);
      REQUIRE(range.ok());
      const AddressPool pool{{*range}, {}};

      // Without network and broadcast address if there are any, and without the gateway.
      const Uint128 all = Uint128{1} << (bits - length);
      const Uint128 reserved = length == bits ? 0 : length == bits - 1 ? 1 : family == Family::Ipv4 ? 3 : 2;
      CHECK((pool.size() == all - reserved));
      CHECK(range->gateway.has_value() == (length < bits));

      auto random = seeded(static_cast<unsigned>(length));
      for (int draw = 0; draw < 50; ++draw) {
        const auto address = pool.pickFree({}, random);
        REQUIRE(address);
        CHECK(subnet.contains(*address));
        CHECK(address != range->gateway);
        if (length < bits - 1) CHECK(*address != subnet.first());
        if (length < bits - 1 && family == Family::Ipv4) CHECK(*address != subnet.last());
        CHECK(pool.leaseOf(*address) == pons::Lease{*IpPrefix::of(*address, length), range->gateway});
      }
    }
  }
}

TEST_CASE("very short prefixes are valid unless they contain reserved addresses") {
  for (int length = 1; length <= 3; ++length) {
    const IpPrefix v6 = IpPrefix::of(ip("8000::"), length)->network();
    const auto range = Range::make(v6, std::nullopt, std::nullopt, std::nullopt);
    CHECK(range.ok() == !v6.overlaps(prefix("ff00::/8")));
    const IpPrefix v4 = IpPrefix::of(ip("128.0.0.0"), length)->network();
    const auto wide = Range::make(v4, std::nullopt, std::nullopt, std::nullopt);
    CHECK(wide.ok() == !v4.overlaps(prefix("224.0.0.0/4")));
  }
  CHECK(Range::make(prefix("96.0.0.0/3"), std::nullopt, std::nullopt, std::nullopt)
            .failedWith(netlib::Cause::Invalid));  // 127/8
  CHECK((AddressPool{{rangeOf("1100:200::/24")}, {}}.size() == (Uint128{1} << 104) - 2));
}

TEST_CASE("the last free address is always found") {
  for (const std::string subnet :
       {"10.0.0.0/24", "10.0.0.0/22", "10.0.0.0/30", "10.0.0.0/31", "10.0.0.4/32", "fd00::/120"}) {
    const AddressPool pool{{rangeOf(subnet)}, {}};
    const auto count = static_cast<std::size_t>(pool.size());
    for (std::size_t last = 0; last < count; ++last) {
      std::vector<IpAddress> taken{ip("192.0.2.1"), ip("2001:db8::1")};  // not in the pool
      for (std::size_t i = 0; i < count; ++i) {
        if (i != last) taken.push_back(pool.nth(i));
      }
      if (!taken.empty()) taken.push_back(taken.back());
      CHECK(pool.pickFree(taken, seeded(1)) == pool.nth(last));
      taken.push_back(pool.nth(last));
      CHECK_FALSE(pool.pickFree(taken, seeded(1)));
    }
  }
}

TEST_CASE("a pool is leased up to the last address, without duplicates") {
  const AddressPool pool{{rangeOf("10.42.0.0/24")}, {}};
  for (unsigned seed = 0; seed < 20; ++seed) {
    auto random = seeded(seed);
    std::vector<IpAddress> taken;
    while (const auto address = pool.pickFree(taken, random)) taken.push_back(*address);
    CHECK(std::set<IpAddress>(taken.begin(), taken.end()).size() == 253);
    CHECK(taken.size() == 253);
  }
}

TEST_CASE("the choice is uniform over the free addresses") {
  const AddressPool pool{{rangeOf("10.42.0.0/27")}, {}};
  const std::vector<IpAddress> taken{pool.nth(0), pool.nth(7), pool.nth(8), pool.nth(28)};
  constexpr int kRounds = 25000;
  for (const pons::RandomBelow& random : {seeded(42), pons::RandomBelow{pons::randomBelow}}) {
    std::map<IpAddress, int> counts;
    for (int i = 0; i < kRounds; ++i) ++counts[pool.pickFree(taken, random).value()];
    CHECK(counts.size() == 25);
    double chiSquare = 0;
    for (const auto& [address, count] : counts) chiSquare += (count - 1000.0) * (count - 1000.0) / 1000.0;
    CHECK(chiSquare < 80);  // 24 degrees of freedom: by chance above it once in ten million
  }
}

TEST_CASE("random numbers stay below their bound") {
  for (const Uint128 bound : {Uint128{1}, Uint128{2}, Uint128{253}, (Uint128{1} << 127) + 1, ~Uint128{0}}) {
    for (int i = 0; i < 200; ++i) CHECK((pons::randomBelow(bound) < bound));
  }
}

TEST_CASE("excluded addresses, gateways, network and broadcast are never in the pool") {
  const RangeSet set{Range::make(prefix("10.0.0.0/24"), ip("10.0.0.0"), ip("10.0.0.127"), ip("10.0.0.200")).value(),
                     Range::make(prefix("10.0.0.0/24"), ip("10.0.0.192"), ip("10.0.0.255"), ip("10.0.0.5")).value()};
  const std::vector<IpPrefix> excluded{prefix("10.0.0.16/28"), prefix("10.0.0.20/32"), prefix("fd00::/8"),
                                       prefix("10.0.0.224/27")};
  const AddressPool pool{set, excluded};
  CHECK((pool.size() == 127 - 1 - 16 + 32 - 1));
  for (Uint128 i = 0; i < pool.size(); ++i) {
    const IpAddress address = pool.nth(i);
    CHECK(pool.contains(address));
    CHECK(((pool.indexesOf(std::vector{address}) == std::vector{i})));
    CHECK_FALSE(prefix("10.0.0.16/28").contains(address));
    if (i > 0) CHECK(pool.nth(i - 1) < address);
  }
  for (const char* never : {"10.0.0.0", "10.0.0.255", "10.0.0.5", "10.0.0.200", "10.0.0.16", "10.0.0.31", "10.0.0.128",
                            "10.0.0.240", "10.0.1.1", "fd00::1"}) {
    CHECK_FALSE(pool.contains(ip(never)));
  }
}

TEST_CASE("a pool whose end is excluded, and an empty one") {
  const AddressPool end{{rangeOf("fdff:ffff:ffff:ffff:ffff:ffff:ffff:fff0/124")},
                        std::vector{prefix("fdff:ffff:ffff:ffff:ffff:ffff:ffff:fff8/125")}};
  CHECK((end.size() == 6));
  const AddressPool none{{rangeOf("10.0.0.0/24")}, std::vector{prefix("10.0.0.0/8")}};
  CHECK((none.size() == 0));
  CHECK_FALSE(none.pickFree({}, seeded(1)));
}

TEST_CASE("the round robin uses the ranges in the given order and always finds the last free address") {
  const RangeSet set{Range::make(prefix("10.0.1.0/24"), ip("10.0.1.5"), ip("10.0.1.14"), std::nullopt).value(),
                     Range::make(prefix("10.0.0.0/28"), std::nullopt, std::nullopt, ip("10.0.0.4")).value()};
  const AddressPool pool{set, std::vector{prefix("10.0.0.9/32")}};
  std::vector<IpAddress> order;
  for (Uint128 i = 0; i < pool.size(); ++i) order.push_back(pool.nth(i));
  CHECK(order.front() == ip("10.0.1.5"));
  CHECK(order.at(9) == ip("10.0.1.14"));
  CHECK(order.at(10) == ip("10.0.0.1"));
  CHECK(order.size() == 10 + 12);

  CHECK(pool.nextFree(std::nullopt, {}) == order.front());
  CHECK(pool.nextFree(ip("10.0.9.9"), {}) == order.front());
  CHECK(pool.nextFree(ip("fd00::1"), {}) == order.front());
  CHECK(pool.nextFree(ip("10.0.0.4"), {}) == ip("10.0.0.5"));  // now the gateway
  CHECK(pool.nextFree(ip("10.0.0.8"), {}) == ip("10.0.0.10"));
  CHECK(pool.nextFree(order.back(), {}) == order.front());

  std::minstd_rand random{6};
  for (int round = 0; round < 2000; ++round) {
    std::vector<IpAddress> taken;
    for (const IpAddress& address : order) {
      if (random() % 8 != 0) taken.push_back(address);
    }
    std::ranges::shuffle(taken, random);
    const std::size_t last = random() % order.size();
    std::optional<IpAddress> expected;
    for (std::size_t step = 1; step <= order.size() && !expected; ++step) {
      const IpAddress& candidate = order[(last + step) % order.size()];
      if (std::ranges::find(taken, candidate) == taken.end()) expected = candidate;
    }
    REQUIRE(pool.nextFree(order[last], taken) == expected);
  }
}

TEST_CASE("an invalid range is refused with the reason") {
  const auto make = [](const std::string& subnet, const char* start, const char* end, const char* gateway) {
    const auto maybe = [](const char* text) { return text ? std::optional{ip(text)} : std::nullopt; };
    return Range::make(prefix(subnet), maybe(start), maybe(end), maybe(gateway));
  };
  CHECK(errorOf(make("10.0.0.1/24", nullptr, nullptr, nullptr)).find("did you mean 10.0.0.0/24") != std::string::npos);
  CHECK(make("0.0.0.0/0", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("::/0", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("0.0.0.0/8", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("127.1.0.0/16", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("::1/128", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("239.0.0.0/24", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(make("ff02::/64", nullptr, nullptr, nullptr).failedWith(netlib::Cause::Invalid));
  CHECK(errorOf(make("10.0.0.0/24", "10.0.1.1", nullptr, nullptr)).find("rangeStart") != std::string::npos);
  CHECK(errorOf(make("10.0.0.0/24", nullptr, "fd00::1", nullptr)).find("rangeEnd") != std::string::npos);
  CHECK(errorOf(make("10.0.0.0/24", "10.0.0.9", "10.0.0.8", nullptr)).find("before it starts") != std::string::npos);
  CHECK(errorOf(make("10.0.50.128/25", nullptr, nullptr, "fe80::1")).find("gateway") != std::string::npos);
  CHECK(errorOf(make("fd00::/64", nullptr, nullptr, "10.0.50.1")).find("gateway") != std::string::npos);
  CHECK(make("10.0.0.0/24", nullptr, nullptr, "10.0.0.0").failedWith(netlib::Cause::Invalid));
  CHECK(make("10.0.0.0/24", nullptr, nullptr, "10.0.0.255").failedWith(netlib::Cause::Invalid));
  CHECK(make("10.0.0.0/31", nullptr, nullptr, "10.0.0.1").ok());
  // The gateway of a LAN.
  CHECK(make("10.42.5.0/24", nullptr, nullptr, "10.42.0.1")->gateway == ip("10.42.0.1"));
  CHECK(make("2001:db8:5::/64", nullptr, nullptr, "fe80::1")->gateway == ip("fe80::1"));
}

TEST_CASE("range sets are of one family and do not overlap") {
  const RangeSet v4{rangeOf("10.0.0.0/24")};
  const RangeSet v6{rangeOf("fd00::/64")};
  CHECK(pons::checkRangeSets(std::vector{v4, v6}).ok());
  CHECK(pons::checkRangeSets(std::vector<RangeSet>{{}}).failedWith(netlib::Cause::Invalid));
  CHECK(pons::checkRangeSets(std::vector<RangeSet>{{v4[0], v6[0]}}).failedWith(netlib::Cause::Invalid));
  CHECK(pons::checkRangeSets(std::vector{v4, RangeSet{rangeOf("10.0.0.128/25")}}).failedWith(netlib::Cause::Invalid));
  CHECK(pons::checkRangeSets(std::vector<RangeSet>{{v4[0], v4[0]}}).failedWith(netlib::Cause::Invalid));
}
