// The ledger with killed and with concurrent processes.
#include <csignal>
#include <fstream>
#include <random>

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/support/ledger_bench.h"
#include "tests/support/text.h"

using pons::Ledger;
using pons::PortForward;
using pons::RecordState;
using support::claim;
using support::contentOf;
using support::ip;
using support::keyOf;
using support::LedgerBench;
using support::requestFor;

namespace {

const std::vector<PortForward> kForwards{{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.2"), 80},
                                         {pons::Protocol::Udp, ip("::"), 53, ip("fd00::2"), 53}};
const std::string kRecord = "/networks/demo/attachments/c1:eth0.json";

/// Runs it in a child process and returns its status from waitpid(2).
template <class Body>
int statusOfChild(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

void limitFileSize(rlim_t bytes) {
  const rlimit limit{bytes, bytes};
  const rlimit noCore{0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  setrlimit(RLIMIT_FSIZE, &limit);
}

/// A complete claim by a process that has ended.
void claimAndDie(const LedgerBench& bench) {
  REQUIRE(statusOfChild([&] {
            Ledger ledger = bench.open();
            if (!claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), kForwards).ok()) _exit(1);
          }) == 0);
}

}  // namespace

TEST_CASE("after a claim was killed at any point, release and a new claim succeed") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const auto key = keyOf("c1");
  const auto request = requestFor("10.42.0.0/24");

  SUBCASE("between reserve and write") {
    CHECK(statusOfChild([&] {
            Ledger dying = bench.open();
            const auto reservation = support::reserve(dying, key, request);
            _exit(reservation.ok() ? 0 : 1);
          }) == 0);
    CHECK(bench.dump().empty());
  }
  SUBCASE("at the record's first byte") {
    const int status = statusOfChild([&] {
      limitFileSize(0);
      Ledger dying = bench.open();
      claim(dying, key, request, kForwards).ok();
    });
    CHECK(WIFSIGNALED(status));
    CHECK(contentOf(bench.path() + kRecord).empty());
  }
  SUBCASE("after everything is claimed") {
    claimAndDie(bench);
    CHECK(bench.links().size() > 5);
  }
  SUBCASE("after the commit") {
    statusOfChild([&] {
      Ledger dying = bench.open();
      auto record = claim(dying, key, request, kForwards);
      dying.commit(*record).ok();
    });
    CHECK(ledger.find(key).value()->state == RecordState::Committed);
  }

  support::release(ledger, key);
  CHECK(bench.dump().empty());
  CHECK(claim(ledger, key, request, kForwards).ok());
}

TEST_CASE("a record that cannot be written completely is removed") {
  const LedgerBench bench;
  CHECK(statusOfChild([&] {
          Ledger ledger = bench.open();
          signal(SIGXFSZ, SIG_IGN);
          limitFileSize(100);
          const auto record = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24"), kForwards);
          _exit(record.failedWith(ENOSPC) ? 0 : 1);
        }) == 0);
  for (const auto& name : bench.dump()) CHECK(std::filesystem::is_directory(name));
  Ledger ledger = bench.open();
  CHECK_FALSE(ledger.find(keyOf("c1")).value());
}

TEST_CASE("a record torn at any byte, with all, some or no claims, is released completely") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  const std::string whole = contentOf(bench.path() + kRecord);
  const auto links = bench.links();
  support::release(ledger, keyOf("c1"));
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    claimAndDie(bench);
    const auto claims = bench.links();
    REQUIRE(claims.size() == links.size());
    for (std::size_t i = 0; i < length % (claims.size() + 1); ++i)
      std::filesystem::remove(bench.path() + "/" + claims[i]);
    std::filesystem::resize_file(bench.path() + kRecord, length);
    {
      const auto record = ledger.find(keyOf("c1")).value();
      REQUIRE(record);
      CHECK(record->salvaged);
      CHECK(record->state == RecordState::Claimed);
      CHECK(record->attachment.key == keyOf("c1"));
    }
    support::release(ledger, keyOf("c1"));
    CHECK(bench.links().empty());
    CHECK_FALSE(ledger.find(keyOf("c1")).value());
  }
  // An emptied directory may stay until the next claim in it is released.
  claimAndDie(bench);
  support::release(ledger, keyOf("c1"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a damaged record is reconstructed from its claims") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  const auto original = ledger.find(keyOf("c1")).value()->attachment;
  std::ofstream{bench.path() + kRecord} << "{}";
  const auto record = ledger.find(keyOf("c1")).value();
  REQUIRE(record->attachment.leases.size() == 1);
  CHECK(record->attachment.leases.front().address.address() == original.leases.front().address.address());
  CHECK(record->attachment.forwards.size() == 2);
  for (const auto& forward : record->attachment.forwards) {
    CHECK(std::ranges::any_of(kForwards, [&](const PortForward& f) {
      return f.protocol == forward.protocol && f.hostPort == forward.hostPort && f.hostAddress == forward.hostAddress;
    }));
  }
  CHECK(record->attachment.sourceNats == original.sourceNats);
  CHECK(record->attachment.bridge.name == original.bridge.name);
  CHECK(record->attachment.hostVeth == original.hostVeth);
}

TEST_CASE("a record that is longer than pons writes any is released by its claims") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  std::filesystem::resize_file(bench.path() + kRecord, pons::kMaxRecordBytes + 1);
  CHECK(ledger.find(keyOf("c1")).value()->salvaged);
  support::release(ledger, keyOf("c1"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a record of a newer pons or with a different key is not used") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  SUBCASE("newer") {
    std::ofstream{bench.path() + kRecord} << "{\"format\": 2}";
    const auto before = bench.dump();
    CHECK(ledger.find(keyOf("c1")).failedWith(netlib::Cause::Unsupported));
    CHECK(bench.dump() == before);
  }
  SUBCASE("different key") {
    std::ofstream{bench.path() + kRecord}
        << pons::encodeRecord(support::attachmentOf(keyOf("c2"), {}), RecordState::Committed);
    CHECK(ledger.find(keyOf("c1")).value()->salvaged);
  }
}

TEST_CASE("a failed release keeps the address and the record") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  const std::string port = bench.path() + "/ports/tcp-8080";
  std::filesystem::remove_all(port);
  std::ofstream{port} << "in the way";
  const auto links = bench.links();
  {
    const auto record = ledger.find(keyOf("c1")).value();
    CHECK(ledger.release(ledger.lockHost().value(), *record).failedWith(ENOTDIR));
  }
  CHECK(bench.links() == links);
  CHECK(std::filesystem::exists(bench.path() + kRecord));

  std::filesystem::remove(port);
  support::release(ledger, keyOf("c1"));
  CHECK(bench.dump().empty());
}

TEST_CASE("a release that was killed at any point is completed by the next one") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  claimAndDie(bench);
  const std::size_t count = bench.links().size();
  for (std::size_t gone = 0; gone <= count; ++gone) {
    if (gone > 0) claimAndDie(bench);
    const auto links = bench.links();
    for (std::size_t i = 0; i < gone; ++i) std::filesystem::remove(bench.path() + "/" + links[i]);
    support::release(ledger, keyOf("c1"));
    CHECK(bench.dump().empty());
  }
}

namespace {

constexpr int kProcesses = 8;
constexpr int kRounds = 50;

/// Checks by mkdir(2), independent of the ledger, that each address and port has one owner.
class Oracle {
 public:
  explicit Oracle(const support::Scratch& scratch, const pons::Attachment& attachment) {
    for (const auto& lease : attachment.leases) own(scratch / lease.address.address().toString());
    for (const auto& forward : attachment.forwards) own(scratch / std::to_string(forward.hostPort));
  }
  ~Oracle() {
    for (const std::string& name : names_) rmdir(name.c_str());
  }
  Oracle(const Oracle&) = delete;
  Oracle& operator=(const Oracle&) = delete;
  Oracle(Oracle&&) = delete;
  Oracle& operator=(Oracle&&) = delete;

 private:
  void own(const std::string& name) {
    if (mkdir(name.c_str(), 0700) < 0) _exit(2);
    names_.push_back(name);
  }

  std::vector<std::string> names_;
};

/// One round of ADD and DEL; the exit code identifies the violated guarantee.
void attachAndDetach(Ledger& ledger, const support::Scratch& owned, std::mt19937& random) {
  const auto key = keyOf("c" + std::to_string(random() % 6));
  const auto port = static_cast<pons::Port>(80 + random() % 4);
  const PortForward forward{pons::Protocol::Tcp, random() % 2 ? ip("0.0.0.0") : ip("192.0.2.1"), port, ip("10.42.0.2"),
                            80};
  if (random() % 4 == 0) {
    const auto found = ledger.find(key);
    if (!found.ok() || (*found && (*found)->salvaged)) _exit(3);
    return;
  }
  auto record = claim(ledger, key, requestFor("10.42.0.0/28"), {forward});
  if (record.failedWith(netlib::Cause::Attached) || record.failedWith(netlib::Cause::InUse)) return;
  if (!record.ok()) _exit(4);
  {
    const Oracle oracle{owned, record->attachment};
    if (!ledger.commit(*record).ok()) _exit(5);
  }
  const auto lock = ledger.lockHost();
  if (!lock.ok() || !ledger.release(*lock, *record).ok()) _exit(6);
}

}  // namespace

TEST_CASE("no address and no port ever has two owners, with concurrent processes") {
  const LedgerBench bench;
  const support::Scratch owned;
  std::vector<pid_t> children;
  for (unsigned seed = 0; seed < kProcesses; ++seed) {
    const pid_t child = fork();
    if (child == 0) {
      Ledger ledger = bench.open(std::chrono::seconds{20});
      std::mt19937 random{seed};
      for (int round = 0; round < kRounds; ++round) attachAndDetach(ledger, owned, random);
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(bench.dump().empty());
}
