// The content of a record replaced, as ponsctl policy does.
#include <filesystem>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "plugin/ledger/ledger.h"

#include "tests/support/ledger_bench.h"

using pons::Ledger;
using pons::RecordState;
using namespace support;

namespace {

ino_t inodeOf(int fd) {
  struct stat status {};
  REQUIRE(fstat(fd, &status) == 0);
  return status.st_ino;
}

}  // namespace

TEST_CASE("a record is rewritten whole: another file, which is locked, with the same state and time") {
  const LedgerBench bench;
  Ledger ledger = bench.open();
  const std::string path = bench.path() + "/networks/demo/attachments/c1:eth0.json";
  auto record = claim(ledger, keyOf("c1"), requestFor("10.42.0.0/24")).value();
  CHECK(ledger.commit(record).ok());
  const auto before = bench.dump();
  const auto time = std::filesystem::file_time_type::clock::now() - std::chrono::hours{1};
  std::filesystem::last_write_time(path, time);
  const ino_t inode = inodeOf(record.lock.fd());
  auto wanted = record.attachment;
  for (const std::size_t ports : {std::size_t{9}, std::size_t{0}}) {
    wanted.egress = pons::EgressPolicy{{prefix("192.0.2.0/24")}, std::vector<pons::Port>(ports, 443), {}, {}};
    const auto lock = ledger.lockHost().value();
    CHECK(ledger.rewrite(lock, record, wanted).ok());
    CHECK(record.attachment == wanted);
    CHECK(inodeOf(record.lock.fd()) != inode);
    CHECK(ledger.snapshot(keyOf("c1")).value()->attachment == wanted);
  }
  CHECK(std::filesystem::last_write_time(path) == time);
  CHECK(bench.dump() == before);
  CHECK(ledger.find(keyOf("c1")).failedWith(netlib::Cause::Locked));

  auto tooLong = wanted;
  tooLong.netnsPath = std::string(pons::kMaxRecordBytes, 'x');
  CHECK(ledger.rewrite(ledger.lockHost().value(), record, tooLong).failedWith(netlib::Cause::Invalid));
  CHECK(ledger.markDeleting(ledger.lockHost().value(), record).ok());  // in the new file
  { const auto letGo = std::move(record); }
  const auto found = ledger.find(keyOf("c1")).value();
  REQUIRE(found);
  CHECK(found->state == RecordState::Deleting);
  CHECK(found->attachment == wanted);
}
