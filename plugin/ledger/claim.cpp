// An attachment's way into the ledger: its record first, then all that it claims, or nothing.
#include <fcntl.h>

#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

#include "netlib/os/file.h"
#include "plugin/ledger/port_claims.h"

namespace pons {

using netlib::fail;
using netlib::FileLock;
using netlib::Result;
using netlib::UniqueFd;

namespace {

netlib::Failure<netlib::Error> attachedAlready(const AttachmentKey& key) {
  return fail(EEXIST, described(key) + " is attached already");
}

}  // namespace

Result<Record> Ledger::claim(const AttachmentKey& key, const AddressRequest& request, const HeldByHost& heldByHost,
                             const Complete& complete) {
  rival_.reset();
  // Its lock comes before the host's: whoever waits for a program that hangs with it holds up this network only.
  std::optional<HostLocal> files;
  if (request.hostLocalDir) files = TRY(HostLocal::lock(*request.hostLocalDir, key.network, patience_));
  const FileLock hostLock = TRY(lockHost());
  const ClaimedAddresses claimed{state_, key.network};
  AddressSources sources{key.network, {&claimed}, heldByHost};
  if (files) {
    sources.registers.push_back(&*files);
    sources.roundRobin = &*files;
  }
  auto chosen = chooseLeases(sources, request);
  // It may be his own address that is in his way.
  if (!chosen.ok() && TRY(state_.exists(recordName(key)))) return attachedAlready(key);
  std::vector<Lease> leases = TRY(std::move(chosen));
  Attachment attachment = TRY(complete(std::move(leases)));
  const auto sharers = TRY(port_claims::check(state_, attachment, rival_));
  TRY(checkGateways(attachment));
  TRY(checkResolvConf(attachment));
  auto written = writeRecord(std::move(attachment));
  if (!written.ok()) {
    // The error that matters is the first one; empty directories claim nothing.
    static_cast<void>(removeEmptyDirectories(key.network));
    return written;
  }
  Record record = TRY(std::move(written));
  if (const Result<> taken = takeAll(record.attachment, sharers, files ? &*files : nullptr); !taken.ok()) {
    // Where even this fails the record stays, and with it all that a DEL needs to try again.
    const Result<> released = release(hostLock, record);
    const std::string alsoFailed = released.ok() ? "" : "; and then: " + released.error().message;
    return fail(taken.error().code, taken.error().message + alsoFailed);
  }
  return record;
}

Result<> Ledger::checkGateways(const Attachment& attachment) {
  for (const auto& address : gatewayAddresses(attachment)) {
    const auto other = TRY(holderOf(state_, hold::gateway(attachment, address), attachment.key));
    if (!other || other->network == attachment.key.network) continue;
    rival_ = other;
    return fail(EADDRINUSE, "subnet " + address.network().toString() + " on bridge " +
                                attachment.bridge.name.toString() + " belongs to network " + other->network.toString() +
                                ": two networks would lease the same addresses");
  }
  return {};
}

Result<> Ledger::checkResolvConf(const Attachment& attachment) {
  if (!attachment.resolvConf) return {};
  const std::string& root = attachment.resolvConf->root;
  const auto other = TRY(holderOf(state_, hold::resolvConf(root), attachment.key));
  if (!other) return {};
  rival_ = other;
  return fail(EADDRINUSE, "the resolv.conf in " + root + " is already that of " + described(*other) +
                              ": give \"dns\" to one network of a container");
}

Result<UniqueFd> Ledger::makeRecordFile(const AttachmentKey& key) {
  constexpr int kNewFile = O_RDWR | O_CREAT | O_EXCL;
  auto file = state_.openFile(recordName(key), kNewFile);
  if (!file.failedWith(ENOENT)) return file;
  TRY(state_.makeDirectories(recordDirectory(key.network)));
  return state_.openFile(recordName(key), kNewFile);
}

Result<Record> Ledger::writeRecord(Attachment attachment) {
  const std::string name = recordName(attachment.key);
  const std::string text = encodeRecord(attachment, RecordState::Claimed);
  // One that could not be read again would be in the way of every DEL.
  if (text.size() > kMaxRecordBytes) {
    return fail(EINVAL, "the record of " + described(attachment.key) + " would have " + std::to_string(text.size()) +
                            " bytes, and " + std::to_string(kMaxRecordBytes) +
                            " are the most: it needs fewer routes, ports or exclusions");
  }
  for (;;) {
    auto file = makeRecordFile(attachment.key);
    if (file.failedWith(EEXIST)) return attachedAlready(attachment.key);
    auto lock = FileLock::acquire(TRY(std::move(file)), std::chrono::milliseconds{0}, name);
    if (lock.ok()) {
      const Result<> written = netlib::writeAtOnce(lock->fd(), text, 0, state_.path() + "/" + name);
      if (written.ok()) return Record{std::move(attachment), RecordState::Claimed, std::move(*lock), text.size()};
      TRY(state_.remove(name));
      return fail(written.error());
    }
    TRY(state_.remove(name));
    // A find() locked the empty file before we did. It will notice that the file is gone, and start again; it must not
    // be waited for, because it waits for the host lock.
    if (!lock.failedWith(ETIMEDOUT)) return fail(lock.error());
  }
}

Result<> Ledger::takeAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                         const HostLocal* files) {
  // Before the claims: without it a DEL would not look for others behind the first claim of a port.
  if (!sharers.empty()) {
    const std::string shared = hold::sharedPorts(attachment.key.container);
    TRY(takeHold(shared, attachment.key));
    for (const AttachmentKey& sharer : sharers) TRY(takeHold(shared, sharer));
  }
  TRY(takeClaims(attachment));
  return files == nullptr ? Result<>{} : files->reserveAll(ownerFrom(attachment.key), attachment.leases);
}

Result<> Ledger::takeClaims(const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  for (const Lease& lease : attachment.leases) TRY(take(state_, addressClaim(key, lease.address.address()), key));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::take(state_, forward, key));
  // Last, as they follow from the others: whoever has a hold has all that it stands for. See forgetUnclaimed().
  for (const std::string& hold : holdsOf(attachment)) TRY(takeHold(hold, key));
  return {};
}

Result<> Ledger::retakeHolds(const FileLock& /*hostLock*/, const Attachment& attachment) {
  for (const std::string& hold : holdsOf(attachment)) TRY(takeHold(hold, attachment.key));
  return {};
}

// The directory is nearly always there: making it first would cost every ADD a system call for each hold.
Result<> Ledger::takeHold(const std::string& hold, const AttachmentKey& key) {
  const ClaimLink claim = holdClaim(key, hold);
  const Result<> made = state_.makeLink(claim.name, claim.target);
  if (!made.failedWith(ENOENT)) return made.failedWith(EEXIST) ? take(state_, claim, key) : made;
  TRY(state_.makeDirectories(holdDirectory(hold)));
  founded_.insert(hold);
  return state_.makeLink(claim.name, claim.target);
}

}  // namespace pons
