// Ledger::claim(): the record, then all claims and references, or nothing.
#include <fcntl.h>

#include "netlib/os/file.h"

#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"
#include "plugin/ledger/port_claims.h"

namespace pons {

using netlib::fail;
using netlib::FileLock;
using netlib::Result;
using netlib::UniqueFd;

namespace {

netlib::Failure<netlib::Error> alreadyAttached(const AttachmentKey& key) {
  return fail(EEXIST, described(key) + " is already attached");
}

}  // namespace

Result<Record> Ledger::claim(const AttachmentKey& key, const AddressRequest& request,
                             const IsHostAddress& isHostAddress, const Complete& complete) {
  conflict_.reset();
  // host-local's lock before the host lock: if another program does not release it, only this network waits.
  std::optional<HostLocal> files;
  if (request.hostLocalDir) files = TRY(HostLocal::lock(*request.hostLocalDir, key.network, patience_));
  const FileLock hostLock = TRY(lockHost());
  const ClaimedAddresses claimed{state_, key.network};
  AddressSources sources{key.network, {&claimed}, isHostAddress};
  if (files) {
    sources.registers.push_back(&*files);
    sources.roundRobin = &*files;
  }
  auto chosen = chooseLeases(sources, request);
  // The address may be claimed by this attachment's own record.
  if (!chosen.ok() && TRY(state_.exists(recordName(key)))) return alreadyAttached(key);
  std::vector<Lease> leases = TRY(std::move(chosen));
  Attachment attachment = TRY(complete(std::move(leases)));
  const auto sharers = TRY(port_claims::check(state_, attachment, conflict_));
  TRY(checkGateways(attachment));
  TRY(checkResolvConf(attachment));
  auto written = writeRecord(std::move(attachment));
  if (!written.ok()) {
    // The first error is reported; empty directories claim nothing.
    static_cast<void>(removeEmptyDirectories(key.network));
    return written;
  }
  Record record = TRY(std::move(written));
  if (const Result<> taken = claimAll(record.attachment, sharers, files ? &*files : nullptr); !taken.ok()) {
    // If this fails as well, the record remains, so that DEL can repeat it.
    const Result<> released = release(hostLock, record);
    const std::string alsoFailed = released.ok() ? "" : "; rollback failed: " + released.error().message;
    return fail(taken.error().code, taken.error().message + alsoFailed);
  }
  return record;
}

Result<> Ledger::checkGateways(const Attachment& attachment) {
  for (const auto& address : gatewayAddresses(attachment)) {
    const auto other = TRY(anyReference(state_, shared_state::gateway(attachment, address), attachment.key));
    if (!other || other->network == attachment.key.network) continue;
    conflict_ = other;
    return fail(EADDRINUSE, "subnet " + address.network().toString() + " on bridge " +
                                attachment.bridge.name.toString() + " belongs to network " + other->network.toString() +
                                ": two networks would lease the same addresses");
  }
  return {};
}

Result<> Ledger::checkResolvConf(const Attachment& attachment) {
  if (!attachment.resolvConf) return {};
  const std::string& root = attachment.resolvConf->root;
  const auto other = TRY(anyReference(state_, shared_state::resolvConf(root), attachment.key));
  if (!other) return {};
  conflict_ = other;
  return fail(EADDRINUSE, "resolv.conf in " + root + " is already managed for " + described(*other) +
                              ": configure \"dns\" in one network per container");
}

Result<UniqueFd> Ledger::makeRecordFile(const AttachmentKey& key) {
  constexpr int kNewFile = O_RDWR | O_CREAT | O_EXCL;
  auto file = state_.openFile(recordName(key), kNewFile);
  if (!file.failedWith(ENOENT)) return file;
  TRY(state_.createDirectories(recordDirectory(key.network)));
  return state_.openFile(recordName(key), kNewFile);
}

Result<Record> Ledger::writeRecord(Attachment attachment) {
  const std::string name = recordName(attachment.key);
  const std::string text = encodeRecord(attachment, RecordState::Claimed);
  // find() could not read a longer one, and DEL would fail.
  if (text.size() > kMaxRecordBytes) {
    return fail(EINVAL, "record of " + described(attachment.key) + " would exceed " + std::to_string(kMaxRecordBytes) +
                            " bytes (" + std::to_string(text.size()) +
                            "): configure fewer routes, ports or exclusions");
  }
  for (;;) {
    auto file = makeRecordFile(attachment.key);
    if (file.failedWith(EEXIST)) return alreadyAttached(attachment.key);
    auto lock = FileLock::acquire(TRY(std::move(file)), std::chrono::milliseconds{0}, name);
    if (lock.ok()) {
      const Result<> written = netlib::writeAtOnce(lock->fd(), text, 0, state_.path() + "/" + name);
      if (written.ok()) return Record{std::move(attachment), RecordState::Claimed, std::move(*lock), text.size()};
      TRY(state_.remove(name));
      return fail(written.error());
    }
    TRY(state_.remove(name));
    // find() in another process has locked the empty file and waits for the host lock, so waiting for it would be a
    // deadlock. It notices that the file is removed and starts again.
    if (!lock.failedWith(ETIMEDOUT)) return fail(lock.error());
  }
}

Result<> Ledger::claimAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                          const HostLocal* files) {
  // Before the claims: without this reference DEL does not look for further claims of a port.
  if (!sharers.empty()) {
    const std::string shared = shared_state::sharedPorts(attachment.key.container);
    TRY(addReference(shared, attachment.key));
    for (const AttachmentKey& sharer : sharers) TRY(addReference(shared, sharer));
  }
  TRY(addClaims(attachment));
  return files == nullptr ? Result<>{} : files->reserveAll(ownerFrom(attachment.key), attachment.leases);
}

Result<> Ledger::addClaims(const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  for (const Lease& lease : attachment.leases) TRY(addClaim(state_, addressClaim(key, lease.address.address()), key));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::add(state_, forward, key));
  // Last: a process that is killed before this leaves no reference that depends on an unclaimed lease or port.
  for (const std::string& sharedState : sharedStatesOf(attachment)) TRY(addReference(sharedState, key));
  return {};
}

Result<> Ledger::addMissingReferences(const FileLock& /*hostLock*/, const Attachment& attachment) {
  for (const std::string& sharedState : sharedStatesOf(attachment)) TRY(addReference(sharedState, attachment.key));
  return {};
}

// The directory usually exists: creating it first would be an extra system call per reference.
Result<> Ledger::addReference(const std::string& sharedState, const AttachmentKey& key) {
  const ClaimLink claim = referenceClaim(key, sharedState);
  const Result<> made = state_.createSymlink(claim.name, claim.target);
  if (!made.failedWith(ENOENT)) return made.failedWith(EEXIST) ? addClaim(state_, claim, key) : made;
  TRY(state_.createDirectories(referenceDirectory(sharedState)));
  firstReferences_.insert(sharedState);
  return state_.createSymlink(claim.name, claim.target);
}

}  // namespace pons
