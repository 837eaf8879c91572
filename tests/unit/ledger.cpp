#include "plugin/ledger/ledger.h"

#include <algorithm>
#include <fstream>
#include <set>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/attachments.h"
#include "tests/support/ledger_bench.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using netlib::Family;
using pons::AddressRequest;
using pons::Lease;
using pons::Ledger;
using pons::PortForward;
using pons::Protocol;
using pons::RecordState;
using pons::hold::bridge;
using support::claim;
using support::contains;
using support::ip;
using support::keyOf;
using support::LedgerBench;
using support::prefix;
using support::requestFor;

namespace {

PortForward forward(const std::string& hostAddress, pons::Port port, Protocol protocol = Protocol::Tcp) {
  const auto address = ip(hostAddress);
  return {protocol, address, port, address.isIpv4() ? ip("10.42.0.2") : ip("fd00::2"), 80};
}

ino_t inodeOf(int fd) {
  struct stat status {};
  REQUIRE(fstat(fd, &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("an attachment whose record could not be read again is refused, and leaves nothing") {
  const LedgerBench bench;
  pons::Ledger ledger = bench.open();
  const auto tooMany = [](std::vector<pons::Lease> leases) -> netlib::Result<pons::Attachment> {
    auto attachment = support::attachmentOf(keyOf("c1"), std::move(leases));
    attachment.routes.assign(150'000, {.destination = prefix("10.0.0.0/8"), .gateway = ip("10.42.0.1")});
    return attachment;
  };
  const auto claimed = ledger.claim(keyOf("c1"), requestFor("10.42.0.0/24"), support::heldByNobody, tooMany);
  REQUIRE(claimed.failedWith(EINVAL));
  CHECK(claimed.error().message.find("fewer routes") != std::string::npos);
  CHECK(bench.dump().empty());
  CHECK(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).ok());
}

TEST_CASE("a claim can be found, and released without a trace") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto before = bench.dump();
  const auto key = keyOf("c1");
  {
    const auto record = claim(ledger, key, requestFor("10.42.0.0/24"), {forward("0.0.0.0", 8080), forward("::", 8080)});
    REQUIRE(record.ok());
    CHECK(record->state == RecordState::Claimed);
    CHECK(record->attachment.leases.size() == 1);
    const std::string address = record->attachment.leases.front().address.address().toString();
    CHECK(bench.linkAt("networks/demo/addresses/" + address) == "../attachments/c1:eth0.json");
    CHECK(bench.linkAt("ports/tcp-8080/0.0.0.0") == "../../networks/demo/attachments/c1:eth0.json");
    CHECK(bench.linkAt("holds/bridge-pons0/demo:c1:eth0") == "../../networks/demo/attachments/c1:eth0.json");
    for (const auto& link : bench.links()) CHECK(std::filesystem::exists(bench.path() + "/" + link));
    CHECK(ledger.attachments().value() == std::vector{key});
  }
  const auto found = ledger.find(key).value();
  REQUIRE(found);
  CHECK_FALSE(found->salvaged);
  const auto lock = ledger.lockHost().value();
  CHECK(ledger.release(lock, *found).ok());
  CHECK(bench.dump() == before);
  CHECK(ledger.release(lock, *found).ok());
  CHECK_FALSE(ledger.find(key).value());
  CHECK(ledger.attachments()->empty());
}

TEST_CASE("commit is written in place: same file, same lock") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  auto record = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).value();
  const ino_t inode = inodeOf(record.lock.fd());
  CHECK(ledger.commit(record).ok());
  CHECK(record.state == RecordState::Committed);
  const auto file =
      netlib::UniqueFd{open((bench.path() + "/networks/demo/attachments/c1:eth0.json").c_str(), O_RDONLY)};
  CHECK(inodeOf(file.get()) == inode);
  CHECK(ledger.find(keyOf("c1")).failedWith(ETIMEDOUT));  // still locked

  const auto attachment = record.attachment;
  { const auto letGo = std::move(record); }
  const auto found = ledger.find(keyOf("c1")).value();
  CHECK(found->state == RecordState::Committed);
  CHECK(found->attachment == attachment);
}

TEST_CASE("W24: a second claim of the same attachment is refused and changes nothing") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).ok()); }
  const auto before = bench.dump();
  const auto again = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)});
  CHECK(again.failedWith(EEXIST));
  CHECK(contains(again.error().message, "container c1 (eth0) of network demo"));
  CHECK(bench.dump() == before);
}

TEST_CASE("W23: one container with several interfaces and networks; each releases its own only") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::vector keys{keyOf("c1"), keyOf("c1", "demo", "eth1"), keyOf("c1", "other")};
  for (const auto& key : keys) REQUIRE(claim(ledger, key, requestFor("10.42.0.0/24")).ok());
  support::release(ledger, keys[0]);
  const auto second = ledger.find(keys[1]).value();
  REQUIRE(second);
  const std::string address = second->attachment.leases.front().address.address().toString();
  CHECK(bench.linkAt("networks/demo/addresses/" + address) == "../attachments/c1:eth1.json");
  CHECK(ledger.find(keys[2])->has_value());
}

TEST_CASE("W23: a claim that meanwhile belongs to somebody else is not released") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24", {"10.42.0.9"}), {forward("0.0.0.0", 80)}).ok()); }
  for (const auto& link : {"networks/demo/addresses/10.42.0.9", "ports/tcp-80/0.0.0.0"}) {
    std::filesystem::remove(bench.path() + "/" + link);
  }
  { REQUIRE(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24", {"10.42.0.9"}), {forward("0.0.0.0", 80)}).ok()); }
  support::release(ledger, keyOf("c1"));
  CHECK(bench.linkAt("networks/demo/addresses/10.42.0.9") == "../attachments/c2:eth0.json");
  CHECK(bench.linkAt("ports/tcp-80/0.0.0.0") == "../../networks/demo/attachments/c2:eth0.json");
}

TEST_CASE("W7: a host port has one owner, who is named; wildcard and specific addresses conflict") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto request = requestFor("10.42.0.0/24");
  { REQUIRE(claim(ledger, keyOf("c1"), request, {forward("0.0.0.0", 8080), forward("192.0.2.1", 81)}).ok()); }
  const auto before = bench.dump();

  for (const auto& taken :
       {forward("0.0.0.0", 8080), forward("192.0.2.1", 8080), forward("192.0.2.1", 81), forward("0.0.0.0", 81)}) {
    const auto refused = claim(ledger, keyOf("c2"), request, {forward("0.0.0.0", 9), taken});
    CHECK(refused.failedWith(EADDRINUSE));
    CHECK(contains(refused.error().message, "host port " + std::to_string(taken.hostPort) + "/tcp"));
    CHECK(contains(refused.error().message, "published by container c1 (eth0) of network demo"));
    CHECK(bench.dump() == before);
  }
  CHECK(claim(ledger, keyOf("c2"), request, {forward("0.0.0.0", 5), forward("127.0.0.1", 5)}).failedWith(EADDRINUSE));

  const auto free = {forward("0.0.0.0", 8080, Protocol::Udp), forward("::", 8080), forward("192.0.2.2", 81)};
  CHECK(claim(ledger, keyOf("c3"), request, free).ok());
  support::release(ledger, keyOf("c1"));
  CHECK(claim(ledger, keyOf("c4"), request, {forward("0.0.0.0", 8080)}).ok());
}

TEST_CASE("W22: a network fills up to the last address, then says how full it is") {
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
  CHECK(full.failedWith(EADDRNOTAVAIL));
  CHECK(contains(full.error().message, "253 of 253 addresses of 10.42.0.0/24 are leased"));
  support::release(ledger, keyOf("c17"));
  CHECK(claim(ledger, keyOf("late"), requestFor("10.42.0.0/24")).ok());
}

TEST_CASE("W21: a requested address is leased exactly, or refused with the reason") {
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
  CHECK(refusal({"10.42.0.77"}).code == EADDRINUSE);
  CHECK(contains(refusal({"10.42.0.77"}).message, "container c1 (eth0) of network demo"));
  const std::pair<const char*, const char*> refused[] = {{"10.42.0.1", "is the gateway"},
                                                         {"10.42.0.0", "is the network address"},
                                                         {"10.42.0.130", "is excluded"},
                                                         {"10.42.1.7", "is in no subnet"},
                                                         {"fd00::1", "is in no subnet"}};
  for (const auto& [address, reason] : refused) {
    CHECK(refusal({address}).code == EINVAL);
    CHECK(contains(refusal({address}).message, reason));
  }
  CHECK(contains(refusal({"10.42.0.7", "10.42.0.8"}).message, "second one"));
}

TEST_CASE("an address that the host holds is not leased, drawn or requested") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto held = [](const netlib::IpAddress& address) -> netlib::Result<bool> { return address != ip("10.42.0.6"); };
  const auto record = ledger.claim(keyOf("c1"), requestFor("10.42.0.0/29"), held, support::completing(keyOf("c1"), {}));
  REQUIRE(record.ok());
  CHECK(record->attachment.leases == std::vector{Lease{prefix("10.42.0.6/29"), ip("10.42.0.1")}});

  const auto full = ledger.claim(keyOf("c2"), requestFor("10.42.0.0/29"), held, support::completing(keyOf("c2"), {}));
  CHECK(full.failedWith(EADDRNOTAVAIL));
  CHECK(contains(full.error().message, "1 of 5 addresses of 10.42.0.0/29 are leased, and 4 held by the host"));
  const auto request = requestFor("10.42.0.0/29", {"10.42.0.3"});
  CHECK(ledger.claim(keyOf("c2"), request, held, support::completing(keyOf("c2"), {})).failedWith(EADDRINUSE));

  const auto broken = [](const netlib::IpAddress&) -> netlib::Result<bool> { return netlib::fail(EIO, "no answer"); };
  CHECK(ledger.claim(keyOf("c2"), request, broken, support::completing(keyOf("c2"), {})).failedWith(EIO));
}

TEST_CASE("W31: networks do not share addresses; both families are leased from their sets") {
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

TEST_CASE("W26: a claim whose record is gone is stale and replaced; one with a record never") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/30"), {forward("192.0.2.1", 80)}).ok()); }
  CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30")).failedWith(EADDRNOTAVAIL));
  std::filesystem::remove(bench.path() + "/networks/demo/attachments/c1:eth0.json");
  SUBCASE("when the pool is exhausted") {
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30"), {forward("0.0.0.0", 80)}).ok());
  }
  SUBCASE("when it is asked for") {
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/30", {"10.42.0.2"}), {forward("192.0.2.1", 80)}).ok());
  }
  CHECK(bench.linkAt("networks/demo/addresses/10.42.0.2") == "../attachments/c2:eth0.json");
}

TEST_CASE("W27: what cannot be read is an error, never free") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).ok()); }
  const std::string ports = bench.path() + "/ports/tcp-80";
  std::filesystem::remove(ports + "/0.0.0.0");
  SUBCASE("a file in a link's place") {
    std::ofstream{ports + "/0.0.0.0"} << "x";
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).failedWith(EBADMSG));
  }
  SUBCASE("a link to somewhere else") {
    std::filesystem::create_symlink("/etc/passwd", ports + "/0.0.0.0");
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).failedWith(EBADMSG));
  }
  SUBCASE("a file in a directory's place") {
    std::filesystem::remove(ports);
    std::ofstream{ports} << "x";
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)}).failedWith(ENOTDIR));
  }
  CHECK_FALSE(ledger.find(keyOf("c2")).value());
}

TEST_CASE("who leaves last is told so, again and again until somebody else takes the hold") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto before = bench.dump();
  for (const char* id : {"c1", "c2"}) REQUIRE(claim(ledger, keyOf(id), requestFor("10.42.0.0/24")).ok());
  const std::string hold = bridge(support::attachmentOf(keyOf("c1"), {}));
  const auto leaves = [&](const char* id) {
    pons::Record record = ledger.find(keyOf(id)).value().value();
    return ledger.leave(ledger.lockHost().value(), hold, record).value();
  };
  CHECK_FALSE(leaves("c1"));
  CHECK(leaves("c2"));
  CHECK(leaves("c1"));  // a DEL that was killed in between
  REQUIRE(claim(ledger, keyOf("c3"), requestFor("10.42.0.0/24")).ok());
  CHECK_FALSE(leaves("c2"));
  CHECK(ledger.isHeld(ledger.lockHost().value(), hold).value());
  for (const char* id : {"c1", "c2", "c3"}) support::release(ledger, keyOf(id));
  CHECK(bench.dump() == before);
}

TEST_CASE("originals: the first writer wins, until they are forgotten") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::string hold = pons::hold::forwarding(Family::Ipv4);
  CHECK(ledger.remembered(hold)->empty());
  CHECK(ledger.remember(hold, {{"net/ipv4/ip_forward", "0"}}).ok());
  CHECK(ledger.remember(hold, {{"net/ipv4/ip_forward", "1"}}).ok());
  CHECK(ledger.remembered(hold).value() == std::map<std::string, std::string>{{"net/ipv4/ip_forward", "0"}});
  CHECK(ledger.forget(hold).ok());
  CHECK(ledger.forget(hold).ok());
  CHECK(ledger.remembered(hold)->empty());
}

TEST_CASE("W40: damaged originals remember nothing, and no DEL fails for ever on them") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  REQUIRE(ledger.remember("h", {{"a", "1"}}).ok());
  for (const char* damaged : {"", "{", "{\"a\": 1}", "noise"}) {
    std::ofstream{bench.path() + "/originals/h.json"} << damaged;
    CHECK(ledger.remembered("h")->empty());
  }
  CHECK(ledger.forget("h").ok());
}

TEST_CASE("W28: the longest names that may be asked for stay inside and apart") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto before = bench.dump();
  const std::string network(200, 'n');
  const std::vector keys{keyOf(std::string(200, 'a'), network, "abcdefghijklmno"),
                         keyOf(std::string(199, 'a') + "b", network, "abcdefghijklmno")};
  for (const auto& key : keys) REQUIRE(claim(ledger, key, requestFor("10.42.0.0/24"), {}).ok());
  for (const auto& link : bench.links()) CHECK(std::filesystem::exists(bench.path() + "/" + link));
  CHECK(ledger.attachments()->size() == 2);
  for (const auto& key : keys) support::release(ledger, key);
  CHECK(bench.dump() == before);
}

TEST_CASE("W47, W67: the state directory is where one says, and refused where others could reach it") {
  const support::Scratch scratch;
  CHECK(Ledger::open(scratch / "some/where", std::chrono::milliseconds{1}).ok());
  CHECK(std::filesystem::is_directory(scratch / "some/where"));
  std::filesystem::create_symlink("some", scratch / "link");
  CHECK(Ledger::open(scratch / "link", std::chrono::milliseconds{1}).failedWith(EPERM));
  CHECK(Ledger::open("relative", std::chrono::milliseconds{1}).failedWith(EINVAL));
}

TEST_CASE("W56: nobody waits for ever, and the host lock is named") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto lock = ledger.lockHost().value();
  const auto refused = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"));
  CHECK(refused.failedWith(ETIMEDOUT));
  CHECK(contains(refused.error().message, "the host lock"));
}
