#include "plugin/ledger/ledger.h"

#include <fstream>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using netlib::Family;
using pons::Ledger;
using pons::RecordState;
using pons::shared_state::bridge;
using namespace support;

namespace {

ino_t inodeOf(int fd) {
  struct stat status {};
  REQUIRE(fstat(fd, &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("a state directory that does not exist is read like an empty one, and only open() makes it") {
  const LedgerBench bench;
  pons::Ledger absent = pons::Ledger::openIfPresent(bench.path(), std::chrono::milliseconds{50}).value();
  CHECK_FALSE(absent.exists());
  CHECK(absent.attachments().value().empty());
  CHECK_FALSE(absent.find(keyOf("c1")).value().has_value());
  CHECK_FALSE(absent.hasRecord(keyOf("c1")).value());
  CHECK_FALSE(absent.anyOf(keyOf("c1").network).value().has_value());
  CHECK(absent.referencesTo("bridge-pons0").value().empty());
  CHECK(absent.lockHost().failedWith(ENOENT));
  CHECK_FALSE(std::filesystem::exists(bench.path()));
  CHECK(bench.open().path() == absent.path());
  CHECK(pons::Ledger::openIfPresent(bench.path(), std::chrono::milliseconds{50}).value().exists());
}

TEST_CASE("a state directory is removed by the one that has created it, if no attachment came") {
  for (const bool isPersistent : {false, true}) {
    for (const bool attached : {false, true}) {
      CAPTURE(isPersistent);
      CAPTURE(attached);
      const LedgerBench bench;
      Ledger creator = bench.open();
      CHECK(creator.wasCreated());
      Ledger other = bench.open();
      CHECK_FALSE(other.wasCreated());
      CHECK(other.removeIfCreated().ok());
      REQUIRE(std::filesystem::exists(bench.path()));

      attach(other, attachmentOf(keyOf("c1"), {{prefix("10.42.0.7/24"), ip("10.42.0.1")}}));
      CHECK(creator.removeIfCreated().ok());
      CHECK(other.hasRecord(keyOf("c1")).value());
      if (attached) continue;
      release(other, keyOf("c1"));
      if (isPersistent) std::ofstream{bench.path() + "/boot"} << "id of a boot";
      std::filesystem::create_directories(bench.path() + "/originals");
      CHECK(creator.removeIfCreated().ok());
      CHECK_FALSE(std::filesystem::exists(bench.path()));
      CHECK(bench.open().wasCreated());
    }
  }
}

TEST_CASE("an attachment with a record above the size limit is refused and leaves nothing") {
  const LedgerBench bench;
  pons::Ledger ledger = bench.open();
  auto reservation = support::reserve(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).value();
  auto attachment = support::attachmentOf(keyOf("c1"), reservation.leases());
  attachment.routes.assign(150'000, {.destination = prefix("10.0.0.0/8"), .gateway = ip("10.42.0.1")});
  const auto claimed = std::move(reservation).write(std::move(attachment));
  REQUIRE(claimed.failedWith(netlib::Cause::Invalid));
  CHECK(claimed.error().message.find("fewer routes") != std::string::npos);
  CHECK(bench.dump().empty());
  CHECK(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).ok());
}

TEST_CASE("a claim is found, and released completely") {
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
    CHECK(bench.linkAt("holds/bridge-pons0/demo/demo:c1:eth0") == "../../../networks/demo/attachments/c1:eth0.json");
    CHECK(bench.linkAt("holds/tables-ip/demo:c1:eth0") == "../../networks/demo/attachments/c1:eth0.json");
    for (const auto& link : bench.links()) CHECK(std::filesystem::exists(bench.path() + "/" + link));
    CHECK(ledger.attachments().value() == std::vector{key});
  }
  const auto found = ledger.find(key).value();
  REQUIRE(found);
  CHECK_FALSE(found->salvaged);
  for (int i = 0; i < 2; ++i) {
    const auto lock = ledger.lockHost().value();
    CHECK(ledger.release(lock, *found).ok());
    CHECK(bench.dump() == before);
  }
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
  CHECK(ledger.find(keyOf("c1")).failedWith(netlib::Cause::Locked));  // still locked

  const auto attachment = record.attachment;
  { const auto letGo = std::move(record); }
  const auto found = ledger.find(keyOf("c1")).value();
  CHECK(found->state == RecordState::Committed);
  CHECK(found->attachment == attachment);
}

TEST_CASE("a second claim of the same attachment is refused and changes nothing") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  { REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).ok()); }
  const auto before = bench.dump();
  const auto again = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), {forward("0.0.0.0", 80)});
  CHECK(again.failedWith(netlib::Cause::Attached));
  CHECK(contains(again.error().message, "container c1 (eth0) of network demo"));
  CHECK(bench.dump() == before);
}

TEST_CASE("one container with several interfaces and networks; each releases its own only") {
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

TEST_CASE("a claim that meanwhile belongs to another attachment is not released") {
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

TEST_CASE("the last reference is reported, repeatedly until another attachment adds one") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto before = bench.dump();
  for (const char* id : {"c1", "c2"}) REQUIRE(claim(ledger, keyOf(id), requestFor("10.42.0.0/24")).ok());
  const std::string state = bridge(support::attachmentOf(keyOf("c1"), {}));
  const auto dropsLast = [&](const char* id) {
    pons::Record record = ledger.find(keyOf(id)).value().value();
    return ledger.dropReference(ledger.lockHost().value(), state, record).value();
  };
  CHECK_FALSE(dropsLast("c1"));
  CHECK(dropsLast("c2"));
  CHECK(dropsLast("c1"));  // a repeated DEL
  REQUIRE(claim(ledger, keyOf("c3"), requestFor("10.42.0.0/24")).ok());
  CHECK_FALSE(dropsLast("c2"));
  CHECK(ledger.isReferenced(ledger.lockHost().value(), state).value());
  for (const char* id : {"c1", "c2", "c3"}) support::release(ledger, keyOf(id));
  CHECK(bench.dump() == before);
}

TEST_CASE("original values: the first ones are kept until they are removed") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::string state = pons::shared_state::ipForwarding(Family::Ipv4);
  CHECK(ledger.savedOriginals(state)->empty());
  CHECK(ledger.saveOriginals(state, {{"net/ipv4/ip_forward", "0"}}).ok());
  CHECK(ledger.saveOriginals(state, {{"net/ipv4/ip_forward", "1"}}).ok());
  CHECK(ledger.savedOriginals(state).value() == std::map<std::string, std::string>{{"net/ipv4/ip_forward", "0"}});
  CHECK(ledger.forgetOriginals(state).ok());
  CHECK(ledger.forgetOriginals(state).ok());
  CHECK(ledger.savedOriginals(state)->empty());
}

TEST_CASE("damaged original values count as none, so that DEL does not fail") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  REQUIRE(ledger.saveOriginals("h", {{"a", "1"}}).ok());
  for (const char* damaged : {"", "{", "{\"a\": 1}", "noise"}) {
    std::ofstream{bench.path() + "/originals/h.json"} << damaged;
    CHECK(ledger.savedOriginals("h")->empty());
  }
  CHECK(ledger.forgetOriginals("h").ok());
}

TEST_CASE("the longest valid names stay below the state directory and distinct") {
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

TEST_CASE("the state directory has the given path, and is refused if other users could change it") {
  const support::Scratch scratch;
  CHECK(Ledger::open(scratch / "some/where", std::chrono::milliseconds{1}).ok());
  CHECK(std::filesystem::is_directory(scratch / "some/where"));
  std::filesystem::create_symlink("some", scratch / "link");
  CHECK(Ledger::open(scratch / "link", std::chrono::milliseconds{1}).failedWith(netlib::Cause::Unsafe));
  CHECK(Ledger::open("relative", std::chrono::milliseconds{1}).failedWith(netlib::Cause::Invalid));
}

TEST_CASE("the wait for a lock is limited, and the error names the host lock") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto lock = ledger.lockHost().value();
  Ledger other = bench.open();
  const auto refused = claim(other, keyOf("c1"), requestFor("10.42.0.0/24"));
  CHECK(refused.failedWith(netlib::Cause::Locked));
  CHECK(contains(refused.error().message, "host lock"));
}

TEST_CASE("what would wait for the own host lock is refused at once, until it is released") {
  const LedgerBench bench;
  Ledger ledger = bench.open(std::chrono::hours{1});
  REQUIRE(claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).ok());
  {
    const auto lock = ledger.lockHost().value();
    CHECK(ledger.lockHost().failedWith(netlib::Cause::Internal));
    CHECK(ledger.find(keyOf("c1")).failedWith(netlib::Cause::Internal));
    CHECK(ledger.tidy(keyOf("c1").network).failedWith(netlib::Cause::Internal));
    CHECK(claim(ledger, keyOf("c2"), requestFor("10.42.0.0/24")).failedWith(netlib::Cause::Internal));
  }
  {
    auto reservation = support::reserve(ledger, keyOf("c2"), requestFor("10.42.0.0/24"));
    REQUIRE(reservation.ok());
    CHECK(ledger.find(keyOf("c1")).failedWith(netlib::Cause::Internal));
    const pons::Reservation moved = std::move(reservation).value();
    CHECK(ledger.lockHost().failedWith(netlib::Cause::Internal));
  }
  Ledger moved = std::move(ledger);
  CHECK(moved.find(keyOf("c1")).value().has_value());
  const auto lock = moved.lockHost();
  CHECK(lock.ok());
  CHECK(moved.lockHost().failedWith(netlib::Cause::Internal));
}

TEST_CASE("a ledger is identified by its path without symlinks, and a state directory is made by open() alone") {
  const support::Scratch scratch;
  std::filesystem::create_directories(scratch / "run");
  std::filesystem::create_symlink("run", scratch / "link");
  CHECK(Ledger::openExisting(scratch / "run/pons", std::chrono::milliseconds{1}).failedWith(ENOENT));
  const auto ledger = Ledger::open(scratch / "link/pons", std::chrono::milliseconds{1});
  REQUIRE(ledger.ok());
  CHECK(ledger->path() == std::filesystem::canonical(scratch / "run/pons").string());
  CHECK(Ledger::openExisting(scratch / "run/pons", std::chrono::milliseconds{1})->path() == ledger->path());
}
