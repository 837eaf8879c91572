// The state directory. Files and directories are created on demand; without attachments only the lock and the top-level
// directories remain.
//
//   /run/pons/                                     0700, owned by root
//     lock                                         the host lock
//     ports/tcp-8080/0.0.0.0                    -> ../../networks/demo/attachments/c1:eth0.json
//     ports/tcp-8080/0.0.0.0@1                  -> ../../networks/other/attachments/c1:eth1.json: another one of c1
//     holds/bridge-pons0/demo:c1:eth0           -> ../../networks/demo/attachments/c1:eth0.json
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
  const std::string text = TRY(netlib::readAll(lock.fd(), kMaxRecordBytes, recordName(key)));
  RecordText record = TRY(decodeRecord(text));
  if (record.attachment.key != key)
    return fail(EBADMSG, "record file of " + described(key) + " contains a different key");
  return ReadRecord{std::move(record), text.size()};
}

}  // namespace

Result<Ledger> Ledger::open(const std::string& stateDir, std::chrono::milliseconds patience) {
  netlib::Directory state = TRY(netlib::Directory::openPrivate(stateDir));
  Ledger ledger{std::move(state), patience};
  if (TRY(isFromEarlierBoot(ledger.state_))) {
    const FileLock hostLock = TRY(ledger.lockHost());
    ledger.wasReset_ = TRY(resetAfterReboot(ledger.state_));
  }
  return ledger;
}

Result<FileLock> Ledger::lockHost() {
  UniqueFd file = TRY(state_.openFile("lock", O_RDWR | O_CREAT));
  return FileLock::acquire(std::move(file), patience_, "host lock " + state_.path() + "/lock");
}

Result<std::optional<Record>> Ledger::find(const AttachmentKey& key, std::chrono::milliseconds patience) {
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
    if (!read.failedWith(EBADMSG)) return fail(read.error());

    // The host lock excludes that claim() is writing the record; see writeRecord().
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

Result<> Ledger::markDeleting(const FileLock& /*hostLock*/, Record& record) {
  // A record that cannot be parsed has no state to write, and activeAttachments() skips it.
  return record.salvaged ? Result<>{} : changeState(record, RecordState::Deleting);
}

Result<> Ledger::changeState(Record& record, RecordState state) {
  const std::string tail = recordTail(state);
  if (record.salvaged || record.length < tail.size()) {
    return fail(EBADMSG, "record of " + described(record.attachment.key) + " is damaged");
  }
  const auto offset = static_cast<off_t>(record.length - tail.size());
  TRY(netlib::writeAtOnce(record.lock.fd(), tail, offset, state_.path() + "/" + recordName(record.attachment.key)));
  record.state = state;
  return {};
}

Result<bool> Ledger::dropReference(const FileLock& /*hostLock*/, const std::string& sharedState, Record& record) {
  // A salvaged record keeps its claims until release(): a repeated DEL is reconstructed from them.
  if (record.salvaged) return !TRY(anyReference(state_, sharedState, record.attachment.key)).has_value();
  const bool last = TRY(removeReference(state_, sharedState, record.attachment.key));
  record.droppedReferences.push_back(sharedState);
  return last;
}

Result<std::vector<AttachmentKey>> Ledger::referencesTo(const std::string& sharedState) {
  std::vector<AttachmentKey> references;
  for (const std::string& name : TRY(namesIn(state_, referenceDirectory(sharedState)))) {
    if (auto owner = TRY(ownerOf(state_, referenceDirectory(sharedState) + "/" + name)))
      references.push_back(*std::move(owner));
  }
  return references;
}

Result<std::vector<std::string>> Ledger::sharedStatesNamed(std::string_view prefix) {
  std::vector<std::string> names = TRY(namesIn(state_, std::string{kHolds}));
  std::erase_if(names, [prefix](const std::string& name) { return !name.starts_with(prefix); });
  return names;
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

Result<bool> Ledger::isReferenced(const FileLock& /*hostLock*/, const std::string& sharedState) {
  return TRY(anyReference(state_, sharedState, std::nullopt)).has_value();
}

Result<> Ledger::release(const FileLock& /*hostLock*/, const Record& record) {
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
  const FileLock hostLock = TRY(lockHost());
  return removeEmptyDirectories(network);
}

Result<> Ledger::removeClaims(const Record& record, const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  const bool alone = attachment.forwards.empty() || !TRY(sharesPorts(key.container));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::remove(state_, forward, key, alone));
  if (!alone) TRY(removeReference(state_, shared_state::sharedPorts(key.container), key));
  for (const Lease& lease : attachment.leases)
    TRY(removeClaim(state_, addressClaim(key, lease.address.address()), key));
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
  // A process that is killed after it removed the last claim leaves an empty directory.
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

Result<std::vector<Attachment>> Ledger::activeAttachments(const FileLock& /*hostLock*/) {
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
    auto record = TRY(peek(recordDirectory(network) + "/" + name));
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
