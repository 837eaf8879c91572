// The state directory. Files and directories are created on demand; without attachments only the lock and the top-level
// directories remain.
//
//   /run/pons/                                     0700, owned by root
//     lock                                         the host lock
//     record.draft                                 of a process that was killed while it replaced a record
//     layout.2/                                    empty: references have values
//     ports/tcp-8080/0.0.0.0                    -> ../../networks/demo/attachments/c1:eth0.json
//     ports/tcp-8080/0.0.0.0@1                  -> ../../networks/other/attachments/c1:eth1.json: another one of c1
//     holds/tables-ip/demo:c1:eth0              -> ../../networks/demo/attachments/c1:eth0.json
//     holds/bridge-pons0/demo/demo:c1:eth0      -> ../../../networks/demo/attachments/c1:eth0.json
//     originals/forwarding-ipv4.json               the values that shared state replaced on the host
//     staged/pons0123456789a                       resolv.conf, bind-mounted in the container; named after the veth
//     networks/demo/attachments/c1:eth0.json       the record; locked by ADD, CHECK and DEL
//     networks/demo/addresses/10.42.0.7         -> ../attachments/c1:eth0.json
//
// Claims (ports/, holds/, addresses/) are symlinks to the record; holds/ has the references to shared state. A record
// is written before the first claim of its attachment and removed after the last one: a claim without a record is
// stale, and a torn record without claims owns nothing. host-local's files are written after the claims on the same
// addresses and removed before them, so that undoing record and claims includes them.
#include "plugin/ledger/ledger.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>

#include "netlib/os/file.h"

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

/// False if another process has removed the record meanwhile.
Result<bool> isLinked(const FileLock& lock) {
  struct stat status {};
  if (fstat(lock.fd(), &status) < 0) return netlib::failErrno("cannot stat a record");
  return status.st_nlink > 0;
}

struct ReadRecord {
  RecordText content;
  std::size_t length;
};

Result<ReadRecord> readRecord(const FileLock& lock, const AttachmentKey& key) {
  const std::string text = TRY(netlib::readRegular(lock.fd(), kMaxRecordBytes, recordName(key)));
  RecordText record = TRY(decodeRecord(text));
  if (record.attachment.key != key)
    return fail(netlib::Cause::Damaged, "record file of " + described(key) + " contains a different key");
  return ReadRecord{std::move(record), text.size()};
}

}  // namespace

Ledger::Ledger(netlib::Directory state, std::chrono::milliseconds patience)
    : state_(std::move(state)), path_(state_.canonicalPath()), patience_(patience) {}

Result<Ledger> Ledger::open(const std::string& stateDir, std::chrono::milliseconds patience) {
  auto directory = TRY(netlib::Directory::openPrivate(stateDir));
  Ledger ledger = TRY(prepared(std::move(directory), patience));
  if (ledger.isNew_) TRY(ledger.create());
  return ledger;
}

Result<Ledger> Ledger::openIfPresent(const std::string& stateDir, std::chrono::milliseconds patience) {
  return prepared(TRY(netlib::Directory::openAsEmpty(stateDir)), patience);
}

Result<Ledger> Ledger::prepared(netlib::Directory state, std::chrono::milliseconds patience) {
  Ledger ledger{std::move(state), patience};
  if (!ledger.exists()) return ledger;
  if (TRY(isFromEarlierBoot(ledger.state_))) {
    const HostLock hostLock = TRY(ledger.lockHost());
    ledger.wasReset_ = TRY(resetAfterReboot(ledger.state_));
  }
  TRY(ledger.convertOlderLayout());
  return ledger;
}

Result<HostLock> Ledger::lockHost() {
  if (!hostLock_.expired()) return fail(netlib::Cause::Internal, "the host lock is locked by this process already");
  UniqueFd file = TRY(state_.openFile("lock", O_RDWR | O_CREAT));
  // DEL and GC go on after an error: they do not wait for every part of their work anew.
  const auto patience = hostLockTimedOut_ ? std::chrono::milliseconds{0} : patience_;
  auto acquired = FileLock::acquire(std::move(file), patience, "host lock " + path() + "/lock");
  hostLockTimedOut_ = acquired.failedWith(netlib::Cause::Locked);
  FileLock lock = TRY(std::move(acquired));
  const auto token = std::make_shared<const char>();
  hostLock_ = token;
  return HostLock{std::move(lock), token};
}

Result<std::optional<Record>> Ledger::find(const AttachmentKey& key, std::chrono::milliseconds patience) {
  // Lock order: another process with the record's lock waits for the host lock.
  if (!hostLock_.expired()) return fail(netlib::Cause::Internal, "a record is locked before the host lock");
  for (;;) {
    auto file = state_.openFile(recordName(key), O_RDWR);
    if (file.failedWith(ENOENT)) return std::optional<Record>{};
    if (!file.ok()) return fail(file.error());
    FileLock lock = TRY(FileLock::acquire(std::move(*file), patience, "record of " + described(key)));
    if (!TRY(isLinked(lock))) continue;

    auto read = readRecord(lock, key);
    if (read.ok()) {
      auto& [attachment, recorded] = read->content;
      const bool whole = recorded == RecordState::Committed || dropUnclaimed(state_, attachment);
      return std::optional<Record>{{.attachment = std::move(attachment),
                                    .state = recorded,
                                    .lock = std::move(lock),
                                    .length = read->length,
                                    .incomplete = !whole}};
    }
    if (!read.failedWith(netlib::Cause::Damaged)) return fail(read.error());

    // The host lock excludes that claim() is writing the record; see writeRecord().
    const HostLock hostLock = TRY(lockHost());
    if (!TRY(isLinked(lock))) continue;
    Attachment attachment = attachmentFromClaims(key, TRY(claimsOf(state_, key)));
    return std::optional<Record>{{.attachment = std::move(attachment),
                                  .state = RecordState::Claimed,
                                  .lock = std::move(lock),
                                  .salvaged = true}};
  }
}

Result<> Ledger::commit(Record& record) { return changeState(record, RecordState::Committed); }

Result<> Ledger::markDeleting(const HostLock& /*hostLock*/, Record& record) {
  // A record that cannot be parsed has no state to write, and activeAttachments() skips it.
  return record.salvaged ? Result<>{} : changeState(record, RecordState::Deleting);
}

Result<> Ledger::changeState(Record& record, RecordState state) {
  const std::string tail = recordTail(state);
  if (record.salvaged || record.length < tail.size()) {
    return fail(netlib::Cause::Damaged, "record of " + described(record.attachment.key) + " is damaged");
  }
  const auto offset = static_cast<off_t>(record.length - tail.size());
  TRY(netlib::writeAtOnce(record.lock.fd(), tail, offset, state_.path() + "/" + recordName(record.attachment.key)));
  record.state = state;
  return {};
}

Result<bool> Ledger::sharesPorts(const ContainerId& container) {
  return state_.exists(referenceDirectory(shared_state::sharedPorts(container)));
}

Result<std::optional<Attachment>> Ledger::portOwner(const PortForward& forward,
                                                    const std::optional<AttachmentKey>& except) {
  const auto isSame = [&](const PortForward& other) {
    return other.protocol == forward.protocol && other.hostPort == forward.hostPort &&
           other.hostAddress == forward.hostAddress;
  };
  for (const AttachmentKey& owner : TRY(port_claims::owners(state_, forward))) {
    if (owner == except) continue;
    auto record = TRY(peek(recordName(owner)));
    if (!record || record->state == RecordState::Deleting) continue;
    std::erase_if(record->attachment.forwards, [&](const PortForward& other) { return !isSame(other); });
    if (!record->attachment.forwards.empty()) return std::optional{std::move(record->attachment)};
  }
  return std::optional<Attachment>{};
}

Result<> Ledger::release(const HostLock& /*hostLock*/, const Record& record) {
  // Already released by another process: claims of these names belong to another attachment.
  if (!TRY(isLinked(record.lock))) return {};
  const AttachmentKey& key = record.attachment.key;
  TRY(removeClaims(record, record.attachment));
  if (record.incomplete) {
    // Directories of claims that are already removed may remain, and the references depend on all leases and ports.
    if (lseek(record.lock.fd(), 0, SEEK_SET) < 0) return netlib::failErrno("cannot rewind a record");
    const ReadRecord whole = TRY(readRecord(record.lock, key));
    TRY(removeClaims(record, whole.content.attachment));
  }
  if (record.salvaged) TRY(removeUnknownClaims(key));
  TRY(state_.remove(recordName(key)));
  return removeEmptyDirectories(key.network);
}

Result<> Ledger::tidy(const NetworkName& network) {
  const HostLock hostLock = TRY(lockHost());
  return removeEmptyDirectories(network);
}

Result<> Ledger::removeClaims(const Record& record, const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  const bool alone = attachment.forwards.empty() || !TRY(sharesPorts(key.container));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::remove(state_, forward, key, alone));
  if (!alone) TRY(removeReference(state_, shared_state::sharedPorts(key.container), key));
  // What others have removed before is still to be found by the next ADD.
  const bool ownOnly = !attachment.leases.empty() && TRY(hasOwnChangesOnly(state_, key.network));
  for (const Lease& lease : attachment.leases)
    TRY(removeClaim(state_, addressClaim(key, lease.address.address()), key));
  if (ownOnly) TRY(noteOwnChange(state_, key.network));
  for (const std::string& sharedState : sharedStatesOf(attachment)) {
    if (std::ranges::find(record.droppedReferences, sharedState) == record.droppedReferences.end())
      TRY(removeReference(state_, sharedState, key));
  }
  return {};
}

Result<> Ledger::removeUnknownClaims(const AttachmentKey& key) {
  for (const std::string& claim : TRY(claimsOf(state_, key))) {
    TRY(state_.remove(claim));
    TRY(removeIfEmpty(state_, claim.substr(0, claim.rfind('/'))));
  }
  return pons::removeEmptyDirectories(state_);
}

Result<> Ledger::removeEmptyDirectories(const NetworkName& network) {
  if (!TRY(removeIfEmpty(state_, recordDirectory(network)))) return {};
  if (!TRY(removeIfEmpty(state_, addressDirectory(network)))) return {};
  TRY(removeIfEmpty(state_, networkDirectory(network)));
  return {};
}

std::string Ledger::describe(const AttachmentKey& key) const { return described(state_, key); }

Result<std::optional<RecordText>> Ledger::peek(const std::string& name) {
  const auto text = state_.readFile(name, kMaxRecordBytes);
  if (text.failedWith(ENOENT) || text.failedWith(netlib::Cause::Damaged)) return std::optional<RecordText>{};
  if (!text.ok()) return fail(text.error());
  auto record = decodeRecord(*text);
  return record.ok() ? std::optional{std::move(*record)} : std::optional<RecordText>{};
}

Result<std::vector<Attachment>> Ledger::activeAttachments(const HostLock& /*hostLock*/) {
  std::vector<Attachment> active;
  for (const AttachmentKey& key : TRY(attachments())) {
    auto record = TRY(peek(recordName(key)));
    if (!record || record->state == RecordState::Deleting) continue;
    if (record->state == RecordState::Claimed) dropUnclaimed(state_, record->attachment);
    active.push_back(std::move(record->attachment));
  }
  return active;
}

Result<std::optional<Attachment>> Ledger::anyOf(const NetworkName& network) {
  constexpr std::size_t kAFew = 4;  // some may be in other states
  const auto names = state_.list(recordDirectory(network), kAFew);
  if (names.failedWith(ENOENT)) return std::optional<Attachment>{};
  if (!names.ok()) return fail(names.error());
  for (const std::string& name : *names) {
    const std::string path = recordDirectory(network) + "/" + name;
    auto record = keyOfRecord(path) ? TRY(peek(path)) : std::nullopt;  // others were not created by pons
    if (record && record->state == RecordState::Committed) return std::optional{std::move(record->attachment)};
  }
  return std::optional<Attachment>{};
}

Result<std::vector<AttachmentKey>> Ledger::attachments() {
  std::vector<AttachmentKey> keys;
  for (const std::string& network : TRY(namesIn(state_, std::string{kNetworks}))) {
    const auto name = NetworkName::parse(network);
    if (!name) continue;  // not created by pons
    for (const std::string& record : TRY(namesIn(state_, recordDirectory(*name)))) {
      if (const auto key = keyOfRecord(recordDirectory(*name) + "/" + record)) keys.push_back(*key);
    }
  }
  return keys;
}

}  // namespace pons
