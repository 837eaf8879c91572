// Claims of addresses and host ports.
#include <fstream>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using pons::AddressRequest;
using pons::Lease;
using pons::Ledger;
using pons::Protocol;
using namespace support;

namespace {

pons::Range rangeOf(const std::string& subnet, const std::string& first, const std::string& last) {
  return pons::Range::make(prefix(subnet), ip(first), ip(last), std::nullopt).value();
}

}  // namespace

TEST_CASE("a host port has one owner, which the error names; wildcard and specific addresses conflict") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto request = requestFor("10.42.0.0/24");
  { REQUIRE(claim(ledger, keyOf("c1"), request, {forward("0.0.0.0", 8080), forward("192.0.2.1", 81)}).ok()); }
  const auto before = bench.dump();

  for (const auto& taken :
       {forward("0.0.0.0", 8080), forward("192.0.2.1", 8080), forward("192.0.2.1", 81), forward("0.0.0.0", 81)}) {
    const auto refused = claim(ledger, keyOf("c2"), request, {forward("0.0.0.0", 9), taken});
    CHECK(refused.failedWith(netlib::Cause::InUse));
    CHECK(contains(refused.error().message, "host port " + std::to_string(taken.hostPort) + "/tcp"));
    CHECK(contains(refused.error().message, "published by container c1 (eth0) of network demo"));
    CHECK(bench.dump() == before);
  }
  CHECK(claim(ledger, keyOf("c2"), request, {forward("0.0.0.0", 5), forward("127.0.0.1", 5)})
            .failedWith(netlib::Cause::InUse));

  const auto free = {forward("0.0.0.0", 8080, Protocol::Udp), forward("::", 8080), forward("192.0.2.2", 81)};
  CHECK(claim(ledger, keyOf("c3"), request, free).ok());
  support::release(ledger, keyOf("c1"));
  CHECK(claim(ledger, keyOf("c4"), request, {forward("0.0.0.0", 8080)}).ok());
}

TEST_CASE("a network is leased up to the last address, then the error has size and use") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  std::set<Lease, decltype([](const Lease& a, const Lease& b) { return a.address < b.address; })> leases;
  for (int i = 0; i < 253; ++i) {
    const auto record = claim(ledger, keyOf("c" + std::to_string(i)), requestFor("10.42.0.0/24"));
    REQUIRE(record.ok());
    leases.insert(record->attachment.leases.front());
  }
  CHECK(leases.size() == 253);
  const auto full = claim(ledger, keyOf("late"), requestFor("10.42.0.0/24"));
  CHECK(full.failedWith(netlib::Cause::Exhausted));
  CHECK(contains(full.error().message, "253 of 253 addresses of 10.42.0.0/24 are leased"));
  support::release(ledger, keyOf("c17"));
  CHECK(claim(ledger, keyOf("late"), requestFor("10.42.0.0/24")).ok());
}

TEST_CASE("a requested address is leased exactly, or refused with the reason") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24", {"10.42.0.77"})).ok()); }
  CHECK(std::filesystem::is_symlink(bench.path() + "/networks/demo/addresses/10.42.0.77"));

  const auto refusal = [&](std::vector<std::string> requested) {
    AddressRequest request = requestFor("10.42.0.0/24", std::move(requested));
    request.excluded = {prefix("10.42.0.128/25")};
    const auto record = claim(ledger, keyOf("c2"), request);
    REQUIRE_FALSE(record.ok());
    return record.error();
  };
  CHECK(refusal({"10.42.0.77"}).cause == netlib::Cause::InUse);
  CHECK(contains(refusal({"10.42.0.77"}).message, "container c1 (eth0) of network demo"));
  const std::pair<const char*, const char*> refused[] = {{"10.42.0.1", "is the gateway"},
                                                         {"10.42.0.0", "is the network address"},
                                                         {"10.42.0.130", "is excluded"},
                                                         {"10.42.1.7", "is not in a subnet"},
                                                         {"fd00::1", "is not in a subnet"}};
  for (const auto& [address, reason] : refused) {
    CHECK(refusal({address}).cause == netlib::Cause::Invalid);
    CHECK(contains(refusal({address}).message, reason));
  }
  CHECK(contains(refusal({"10.42.0.7", "10.42.0.8"}).message, "second one"));
}

TEST_CASE("a requested address outside of the range is leased if it is in the subnet; random ones are of the range") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto request = [](std::vector<std::string> requested = {}) {
    AddressRequest made = requestFor("10.42.0.0/28", std::move(requested));
    made.sets = {{rangeOf("10.42.0.0/28", "10.42.0.8", "10.42.0.10")},
                 {rangeOf("fd42::/64", "fd42::100", "fd42::1ff")}};
    made.excluded = {prefix("10.42.0.12/31")};
    return made;
  };
  {
    auto record = claim(ledger, keyOf("c1"), request({"fd42::7", "10.42.0.3"}));
    REQUIRE(record.ok());
    CHECK(record->attachment.leases ==
          std::vector{Lease{prefix("10.42.0.3/28"), ip("10.42.0.1")}, Lease{prefix("fd42::7/64"), ip("fd42::1")}});
    CHECK(ledger.commit(*record).ok());
  }
  for (const char* container : {"c2", "c3", "c4"}) {
    const auto record = claim(ledger, keyOf(container), request());
    REQUIRE(record.ok());
    const auto address = record->attachment.leases.front().address.address();
    CHECK((ip("10.42.0.8") <= address && address <= ip("10.42.0.10")));
  }
  const auto refusal = [&](std::vector<std::string> requested) {
    const auto refused = claim(ledger, keyOf("late"), request(std::move(requested)));
    REQUIRE_FALSE(refused.ok());
    return refused.error();
  };
  CHECK(contains(refusal({}).message, "3 of 3 addresses of 10.42.0.0/28 are leased"));
  const std::pair<const char*, const char*> refused[] = {
      {"10.42.0.1", "is the gateway"},      {"10.42.0.0", "is the network address of 10.42.0.0/28"},
      {"10.42.0.12", "is excluded by"},     {"10.42.0.15", "is the broadcast address of 10.42.0.0/28"},
      {"10.42.0.16", "is not in a subnet"}, {"fd42::", "is the network address of fd42::/64"}};
  for (const auto& [address, reason] : refused) {
    CHECK(refusal({address}).cause == netlib::Cause::Invalid);
    CHECK(contains(refusal({address}).message, reason));
  }
  CHECK(contains(refusal({"10.42.0.4", "10.42.0.5"}).message, "second one"));
  CHECK(contains(refusal({"fd42::8", "fd42::9"}).message, "second one"));
  for (const auto& taken : {std::vector<std::string>{"10.42.0.3", "fd42::8"}, {"10.42.0.4", "fd42::7"}}) {
    CHECK(refusal(taken).cause == netlib::Cause::InUse);
  }
  CHECK(contains(refusal({"10.42.0.3"}).message, "container c1 (eth0) of network demo"));
  // Also after the claims were lost, and until its owner releases it.
  std::filesystem::remove_all(bench.path() + "/networks/demo/addresses");
  CHECK(refusal({"10.42.0.3"}).cause == netlib::Cause::InUse);
  support::release(ledger, keyOf("c1"));
  CHECK(claim(ledger, keyOf("late"), request({"10.42.0.3"})).ok());
}

TEST_CASE("requested addresses outside of the ranges go to the sets of their subnet that have none yet") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  AddressRequest request;
  pons::Range second = rangeOf("10.42.0.0/24", "10.42.0.20", "10.42.0.29");
  second.gateway = ip("10.42.0.2");
  SUBCASE("two sets") {
    request.sets = {{rangeOf("10.42.0.0/24", "10.42.0.10", "10.42.0.19")}, {second}};
    request.requested = {ip("10.42.0.99"), ip("10.42.0.11")};  // the first set is the second one's
    const auto record = claim(ledger, keyOf("c1"), request);
    REQUIRE(record.ok());
    CHECK(record->attachment.leases == std::vector{Lease{prefix("10.42.0.11/24"), ip("10.42.0.1")},
                                                   Lease{prefix("10.42.0.99/24"), ip("10.42.0.2")}});
    request.requested = {ip("10.42.0.101"), ip("10.42.0.100")};
    CHECK(claim(ledger, keyOf("c2"), request).ok());
    request.requested = {ip("10.42.0.102"), ip("10.42.0.12"), ip("10.42.0.103")};
    CHECK(contains(claim(ledger, keyOf("c3"), request).error().message, "10.42.0.103 is the second one"));
  }
  SUBCASE("two ranges of one set") {
    request.sets = {{rangeOf("10.42.0.0/24", "10.42.0.10", "10.42.0.19"), second}};
    for (const auto& [address, gateway] :
         {std::pair{"10.42.0.25", "10.42.0.2"}, std::pair{"10.42.0.99", "10.42.0.1"}}) {
      request.requested = {ip(address)};
      const auto record = claim(ledger, keyOf(std::string{"c"} + std::string{address}.substr(8)), request);
      REQUIRE(record.ok());
      CHECK(record->attachment.leases.front().gateway == ip(gateway));
    }
    request.requested = {ip("10.42.0.2")};
    CHECK(contains(claim(ledger, keyOf("c3"), request).error().message, "is the gateway"));
  }
}

TEST_CASE("an address of the host is not leased, random or requested") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto claimBesideHost = [&](const char* container,
                                   const AddressRequest& request) -> netlib::Result<pons::Record, pons::Refusal> {
    auto reservation = TRY(support::reserve(ledger, keyOf(container), request));
    while (reservation.leases().front().address.address() != ip("10.42.0.6")) TRY(reservation.chooseAnother(0));
    auto attachment = support::attachmentOf(keyOf(container), reservation.leases());
    return std::move(reservation).write(std::move(attachment));
  };
  const auto record = claimBesideHost("c1", requestFor("10.42.0.0/29"));
  REQUIRE(record.ok());
  CHECK(record->attachment.leases == std::vector{Lease{prefix("10.42.0.6/29"), ip("10.42.0.1")}});

  const auto full = claimBesideHost("c2", requestFor("10.42.0.0/29"));
  CHECK(full.failedWith(netlib::Cause::Exhausted));
  CHECK(contains(full.error().message, "1 of 5 addresses of 10.42.0.0/29 are leased, and 4 assigned to the host"));
  const auto requested = claimBesideHost("c2", requestFor("10.42.0.0/29", {"10.42.0.3"}));
  CHECK(requested.failedWith(netlib::Cause::InUse));
  CHECK(contains(requested.error().message, "requested address 10.42.0.3 is assigned to the host itself"));
  AddressRequest fixed;
  fixed.fixed = {{prefix("10.42.0.3/29"), std::nullopt}};
  CHECK(claimBesideHost("c2", fixed).failedWith(netlib::Cause::InUse));
}

TEST_CASE("networks do not share addresses; both families are leased from their sets") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  AddressRequest request = requestFor("10.42.0.0/30");
  request.sets.push_back(requestFor("1100:200::/24").sets.front());
  const auto first = claim(ledger, keyOf("c1", "demo"), request);
  const auto second = claim(ledger, keyOf("c1", "other"), request);
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  CHECK(first->attachment.leases[0] == second->attachment.leases[0]);
  CHECK(prefix("1100:200::/24").contains(first->attachment.leases[1].address.address()));
  CHECK(first->attachment.leases[1].address.length() == 24);
}

TEST_CASE("a claim whose record is gone is stale and replaced; one with a record never") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/30"), {forward("192.0.2.1", 80)}).ok()); }
  CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30")).failedWith(netlib::Cause::Exhausted));
  std::filesystem::remove(bench.path() + "/networks/demo/attachments/c1:eth0.json");
  SUBCASE("when the pool is exhausted") {
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30"), {forward("0.0.0.0", 80)}).ok());
  }
  SUBCASE("when it is requested") {
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30", {"10.42.0.2"}), {forward("192.0.2.1", 80)}).ok());
  }
  CHECK(bench.linkAt("networks/demo/addresses/10.42.0.2") == "../attachments/c2:eth0.json");
}

TEST_CASE("an unreadable claim is an error, never free") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).ok()); }
  const std::string ports = bench.path() + "/ports/tcp-80";
  std::filesystem::remove(ports + "/0.0.0.0");
  SUBCASE("a file in a link's place") {
    std::ofstream{ports + "/0.0.0.0"} << "x";
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)})
              .failedWith(netlib::Cause::Damaged));
  }
  SUBCASE("a link to somewhere else") {
    std::filesystem::create_symlink("/etc/passwd", ports + "/0.0.0.0");
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)})
              .failedWith(netlib::Cause::Damaged));
  }
  SUBCASE("a file in a directory's place") {
    std::filesystem::remove(ports);
    std::ofstream{ports} << "x";
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).failedWith(ENOTDIR));
  }
  CHECK_FALSE(ledger.find(keyOf("c2")).value());
}
