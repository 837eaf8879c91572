// The state directory. Everything is made on demand; only the lock and the top directories outlive the last attachment.
//
//   /run/pons/                                     0700, ours
//     lock                                         the host lock
//     ports/tcp-8080/0.0.0.0                    -> ../../networks/demo/attachments/c1:eth0.json
//     ports/tcp-8080/0.0.0.0@1                  -> ../../networks/other/attachments/c1:eth1.json: the same container's
//     holds/bridge-pons0/demo:c1:eth0           -> ../../networks/demo/attachments/c1:eth0.json
//     originals/forwarding-ipv4.json               what the hold's shared state replaced on the host
//     staged/pons0123456789a                       named as the link, mounted in the container's root
//     networks/demo/attachments/c1:eth0.json       the record; locked while a verb works on it
//     networks/demo/addresses/10.42.0.7         -> ../attachments/c1:eth0.json
//
// A record is complete before any claim of its attachment is made, and goes after the last of them. So whoever finds a
// claim finds a record; an unreadable record without claims was torn while it was written, and holds nothing.
// host-local's files are made after the claims on the same addresses and go before them: whoever undoes what a record
// and its claims tell undoes those too.
#include "plugin/ledger/ledger.h"

#include "netlib/os/file.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "plugin/ledger/boot.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/port_claims.h"
#include "plugin/ledger/salvage.h"

namespace pons {

using netlib::fail;
using netlib::FileLock;
using netlib::Result;
using netlib::UniqueFd;

namespace {

/// Whether the record still has its name: not where another verb has released it meanwhile.
Result<bool> isLinked(const FileLock& lock) {
  struct stat status {};
  if (fstat(lock.fd(), &status) < 0) return netlib::failErrno("cannot examine a record");
  return status.st_nlink > 0;
}

struct ReadRecord {
  RecordText content;
  std::size_t length;
};

Result<ReadRecord> readRecord(const FileLock& lock, const AttachmentKey& key) {
  const std::string text = TRY(netlib::readAll(lock.fd(), kMaxRecordBytes, recordName(key)));
  RecordText record = TRY(decodeRecord(text));
  if (record.attachment.key != key) return fail(EBADMSG, "the record of " + described(key) + " is another's");
  return ReadRecord{std::move(record), text.size()};
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& stateDir, std::chrono::milliseconds patience) {
  Ledger ledger{TRY(netlib::Directory::openPrivate(stateDir)), patience};
  if (TRY(isFromEarlierBoot(ledger.state_))) {
    const FileLock hostLock = TRY(ledger.lockHost());
    ledger.startedAfresh_ = TRY(startAfresh(ledger.state_));
  }
  return ledger;
}

Result<FileLock> Ledger::lockHost() {
  UniqueFd file = TRY(state_.openFile("lock", O_RDWR | O_CREAT));
  return FileLock::acquire(std::move(file), patience_, "the host lock " + state_.path() + "/lock");
}

Result<std::optional<Record>> Ledger::find(const AttachmentKey& key, std::chrono::milliseconds patience) {
  for (;;) {
    auto file = state_.openFile(recordName(key), O_RDWR);
    if (file.failedWith(ENOENT)) return std::optional<Record>{};
    if (!file.ok()) return fail(file.error());
    FileLock lock = TRY(FileLock::acquire(std::move(*file), patience, "the record of " + described(key)));
    if (!TRY(isLinked(lock))) continue;

    auto read = readRecord(lock, key);
    if (read.ok()) {
      auto& [attachment, recorded] = read->content;
      const bool whole = recorded == RecordState::Committed || forgetUnclaimed(state_, attachment);
      return std::optional<Record>{{.attachment = std::move(attachment),
                                    .state = recorded,
                                    .lock = std::move(lock),
                                    .length = read->length,
                                    .incomplete = !whole}};
    }
    if (!read.failedWith(EBADMSG)) return fail(read.error());

    // Only under the host lock is it certain that no claim was just about to write it; see writeRecord().
    const FileLock hostLock = TRY(lockHost());
    if (!TRY(isLinked(lock))) continue;
    Attachment attachment = attachmentFromClaims(key, TRY(claimsOf(state_, key)));
    return std::optional<Record>{{.attachment = std::move(attachment),
                                  .state = RecordState::Claimed,
                                  .lock = std::move(lock),
                                  .salvaged = true}};
  }
}

Result<> Ledger::commit(Record& record) { return changeState(record, RecordState::Committed); }

Result<> Ledger::markLeaving(const FileLock& /*hostLock*/, Record& record) {
  // One that had to be made up from its claims is not rebuilt from either.
  return record.salvaged ? Result<>{} : changeState(record, RecordState::Leaving);
}

Result<> Ledger::changeState(Record& record, RecordState state) {
  const std::string tail = recordTail(state);
  if (record.salvaged || record.length < tail.size()) {
    return fail(EBADMSG, "the record of " + described(record.attachment.key) + " is damaged");
  }
  const auto offset = static_cast<off_t>(record.length - tail.size());
  TRY(netlib::writeAtOnce(record.lock.fd(), tail, offset, state_.path() + "/" + recordName(record.attachment.key)));
  record.state = state;
  return {};
}

Result<bool> Ledger::leave(const FileLock& /*hostLock*/, const std::string& hold, Record& record) {
  // What was made up from its claims keeps them until its release: another DEL has nothing else to go by.
  if (record.salvaged) return !TRY(holderOf(state_, hold, record.attachment.key)).has_value();
  const bool last = TRY(dropHold(state_, hold, record.attachment.key));
  record.left.push_back(hold);
  return last;
}

Result<std::vector<AttachmentKey>> Ledger::holders(const std::string& hold) {
  std::vector<AttachmentKey> holders;
  for (const std::string& name : TRY(namesIn(state_, holdDirectory(hold)))) {
    if (auto owner = TRY(ownerOf(state_, holdDirectory(hold) + "/" + name))) holders.push_back(*std::move(owner));
  }
  return holders;
}

Result<std::vector<std::string>> Ledger::holdsNamed(std::string_view prefix) {
  std::vector<std::string> holds = TRY(namesIn(state_, std::string{kHolds}));
  std::erase_if(holds, [prefix](const std::string& hold) { return !hold.starts_with(prefix); });
  return holds;
}

Result<bool> Ledger::sharesPorts(const ContainerId& container) {
  return state_.exists(holdDirectory(hold::sharedPorts(container)));
}

Result<std::optional<Attachment>> Ledger::leaderOf(const PortForward& forward,
                                                   const std::optional<AttachmentKey>& except) {
  const auto isSame = [&](const PortForward& other) {
    return other.protocol == forward.protocol && other.hostPort == forward.hostPort &&
           other.hostAddress == forward.hostAddress;
  };
  for (const AttachmentKey& owner : TRY(port_claims::owners(state_, forward))) {
    if (owner == except) continue;
    auto record = TRY(peek(recordName(owner)));
    if (!record || record->state == RecordState::Leaving) continue;
    std::erase_if(record->attachment.forwards, [&](const PortForward& other) { return !isSame(other); });
    if (!record->attachment.forwards.empty()) return std::optional{std::move(record->attachment)};
  }
  return std::optional<Attachment>{};
}

Result<bool> Ledger::isHeld(const FileLock& /*hostLock*/, const std::string& hold) {
  return TRY(holderOf(state_, hold, std::nullopt)).has_value();
}

Result<> Ledger::release(const FileLock& /*hostLock*/, const Record& record) {
  // Released before: whatever bears these names now is somebody else's.
  if (!TRY(isLinked(record.lock))) return {};
  const AttachmentKey& key = record.attachment.key;
  TRY(dropClaims(record, record.attachment));
  if (record.incomplete) {
    // Of claims that are gone already the empty directories may be left, and the holds follow from all of them.
    if (lseek(record.lock.fd(), 0, SEEK_SET) < 0) return netlib::failErrno("cannot read a record again");
    const ReadRecord whole = TRY(readRecord(record.lock, key));
    TRY(dropClaims(record, whole.content.attachment));
  }
  if (record.salvaged) TRY(dropUnknownClaims(key));
  TRY(state_.remove(recordName(key)));
  return removeEmptyDirectories(key.network);
}

Result<> Ledger::tidy(const NetworkName& network) {
  const FileLock hostLock = TRY(lockHost());
  return removeEmptyDirectories(network);
}

Result<> Ledger::dropClaims(const Record& record, const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  const bool alone = attachment.forwards.empty() || !TRY(sharesPorts(key.container));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::drop(state_, forward, key, alone));
  if (!alone) TRY(dropHold(state_, hold::sharedPorts(key.container), key));
  for (const Lease& lease : attachment.leases) TRY(drop(state_, addressClaim(key, lease.address.address()), key));
  for (const std::string& hold : holdsOf(attachment)) {
    if (std::ranges::find(record.left, hold) == record.left.end()) TRY(dropHold(state_, hold, key));
  }
  return {};
}

Result<> Ledger::dropUnknownClaims(const AttachmentKey& key) {
  for (const std::string& claim : TRY(claimsOf(state_, key))) {
    TRY(state_.remove(claim));
    TRY(removeIfEmpty(state_, claim.substr(0, claim.rfind('/'))));
  }
  // A directory may have lost its last claim right before the end of whoever was to remove it.
  for (const std::string_view top : {kPorts, kHolds}) {
    const auto names = state_.list(std::string{top});
    if (names.failedWith(ENOENT)) continue;
    if (!names.ok()) return fail(names.error());
    for (const std::string& name : *names) TRY(removeIfEmpty(state_, std::string{top} + "/" + name));
  }
  return {};
}

Result<> Ledger::removeEmptyDirectories(const NetworkName& network) {
  if (!TRY(removeIfEmpty(state_, recordDirectory(network)))) return {};
  if (!TRY(removeIfEmpty(state_, addressDirectory(network)))) return {};
  TRY(removeIfEmpty(state_, networkDirectory(network)));
  return {};
}

Result<std::optional<RecordText>> Ledger::peek(const std::string& name) {
  const auto text = state_.readFile(name, kMaxRecordBytes);
  if (text.failedWith(ENOENT)) return std::optional<RecordText>{};
  if (!text.ok()) return fail(text.error());
  auto record = decodeRecord(*text);
  return record.ok() ? std::optional{std::move(*record)} : std::optional<RecordText>{};
}

Result<std::vector<Attachment>> Ledger::staying(const FileLock& /*hostLock*/) {
  std::vector<Attachment> staying;
  for (const AttachmentKey& key : TRY(attachments())) {
    auto record = TRY(peek(recordName(key)));
    if (!record || record->state == RecordState::Leaving) continue;
    if (record->state == RecordState::Claimed) forgetUnclaimed(state_, record->attachment);
    staying.push_back(std::move(record->attachment));
  }
  return staying;
}

Result<std::optional<Attachment>> Ledger::anyOf(const NetworkName& network) {
  constexpr std::size_t kAFew = 4;  // one of them may be on its way out
  const auto names = state_.list(recordDirectory(network), kAFew);
  if (names.failedWith(ENOENT)) return std::optional<Attachment>{};
  if (!names.ok()) return fail(names.error());
  for (const std::string& name : *names) {
    auto record = TRY(peek(recordDirectory(network) + "/" + name));
    if (record && record->state == RecordState::Committed) return std::optional{std::move(record->attachment)};
  }
  return std::optional<Attachment>{};
}

Result<std::vector<AttachmentKey>> Ledger::attachments() {
  std::vector<AttachmentKey> keys;
  for (const std::string& network : TRY(namesIn(state_, std::string{kNetworks}))) {
    const auto name = NetworkName::parse(network);
    if (!name) continue;  // nothing that we made
    for (const std::string& record : TRY(namesIn(state_, recordDirectory(*name)))) {
      if (const auto key = keyOfRecord(recordDirectory(*name) + "/" + record)) keys.push_back(*key);
    }
  }
  return keys;
}

}  // namespace pons
