// Reservation and what it writes: the record, then all claims and references, or nothing.
#include <fcntl.h>

#include "netlib/os/file.h"

#include "plugin/ledger/claims.h"
#include "plugin/ledger/port_claims.h"
#include "plugin/ledger/reservation.h"

namespace pons {

using netlib::fail;
using netlib::FileLock;
using netlib::Result;
using netlib::UniqueFd;

namespace {

/// Of all records: only under the host lock.
constexpr const char* kDraft = "record.draft";

/// find() could not read a longer one, and DEL would fail.
Result<std::string> checkedRecord(const Attachment& attachment, RecordState state) {
  std::string text = encodeRecord(attachment, state);
  if (text.size() <= kMaxRecordBytes) return text;
  return fail(netlib::Cause::Invalid, "record of " + described(attachment.key) + " would exceed " +
                                          std::to_string(kMaxRecordBytes) + " bytes (" + std::to_string(text.size()) +
                                          "): configure fewer routes, ports or exclusions");
}

netlib::Failure<netlib::Error> alreadyAttached(const AttachmentKey& key) {
  return fail(netlib::Cause::Attached, described(key) + " is already attached");
}

}  // namespace

Result<Reservation, Refusal> Ledger::reserve(const AttachmentKey& key, const netlib::IfName& bridge,
                                             const AddressRequest& request) {
  // host-local's lock before the host lock: if another program does not release it, only this network waits.
  std::optional<HostLocal> files;
  if (request.hostLocalDir) files = TRY(HostLocal::lock(*request.hostLocalDir, key.network, patience_));
  HostLock hostLock = TRY(lockHost());
  Reservation reservation{*this, key.network, request, std::move(files), std::move(hostLock)};
  if (request.sets.empty() && request.fixed.empty()) return reservation;

  std::vector<NetworkName> networks = TRY(networksBeside(key.network, bridge));
  TRY(checkRanges(key, bridge, request, networks));
  networks.push_back(key.network);
  for (NetworkName& network : networks) {
    TRY(restoreLostAddresses(network));
    reservation.claimed_.emplace_back(state_, std::move(network));
  }
  auto chosen = chooseLeases(reservation.sources(), request);
  // The address may be claimed by this attachment's own record.
  if (!chosen.ok() && TRY(state_.exists(recordName(key)))) return alreadyAttached(key);
  reservation.leases_ = TRY(std::move(chosen));
  return reservation;
}

AddressSources Reservation::sources() const {
  AddressSources sources{.network = network_, .registers = {}, .hostAddresses = hostAddresses_};
  for (const ClaimedAddresses& claimed : claimed_) sources.registers.push_back(&claimed);
  if (files_) {
    sources.registers.push_back(&*files_);
    sources.roundRobin = &*files_;
  }
  return sources;
}

Result<> Reservation::chooseAnother(std::size_t index) {
  hostAddresses_.push_back(leases_[index].address.address());
  leases_[index] = TRY(chooseLease(sources(), request_, index));
  return {};
}

Result<Record, Refusal> Reservation::write(Attachment attachment) && {
  // Released at the end of this function.
  const std::optional<HostLocal> files = std::move(files_);
  const HostLock hostLock = std::move(hostLock_);
  return ledger_->claim(hostLock, std::move(attachment), files ? &*files : nullptr);
}

Result<Record, Refusal> Ledger::claim(const HostLock& hostLock, Attachment attachment, const HostLocal* files) {
  const auto sharers = TRY(port_claims::check(state_, attachment));
  TRY(checkGateways(attachment));
  TRY(checkResolvConf(attachment));
  const NetworkName network = attachment.key.network;
  auto written = writeRecord(std::move(attachment));
  if (!written.ok()) {
    // The first error is reported; empty directories claim nothing.
    static_cast<void>(removeEmptyDirectories(network));
    return fail(written.error());
  }
  Record record = TRY(std::move(written));
  if (const Result<> taken = claimAll(record.attachment, sharers, files); !taken.ok()) {
    // If this fails as well, the record remains, so that DEL can repeat it.
    const Result<> released = release(hostLock, record);
    const std::string alsoFailed = released.ok() ? "" : "; rollback failed: " + released.error().message;
    return fail(taken.error().reworded(taken.error().message + alsoFailed));
  }
  return record;
}

Result<void, Refusal> Ledger::checkRanges(const AttachmentKey& key, const netlib::IfName& bridge,
                                          const AddressRequest& request, std::span<const NetworkName> others) {
  const std::vector<AddressSpan> own = spansOf(request.sets);
  if (own.empty() || others.empty()) return {};
  // Its other containers were compared with the same ranges.
  if (const auto earlier = TRY(anyOn(bridge, key.network)); earlier && earlier->pool == own) return {};
  for (const NetworkName& network : others) {
    const auto other = TRY(anyOn(bridge, network));
    if (!other) continue;
    for (const AddressSpan& theirs : other->pool) {
      const auto overlapping =
          std::ranges::find_if(own, [&](const AddressSpan& ours) { return ours.overlaps(theirs); });
      if (overlapping == own.end()) continue;
      return inUseBy(other->key, "network " + key.network.toString() + "'s range " + overlapping->toString() +
                                     " overlaps " + theirs.toString() + " of network " + network.toString() +
                                     " on bridge " + bridge.toString());
    }
  }
  return {};
}

Result<std::optional<Attachment>> Ledger::anyOn(const netlib::IfName& bridge, const NetworkName& network) {
  const std::string state = shared_state::bridgeStem(bridge) + "/" + network.toString();
  const auto owner = TRY(anyReference(state_, state, std::nullopt));
  auto record = owner ? TRY(peek(recordName(*owner))) : std::nullopt;
  return record ? std::optional{std::move(record->attachment)} : std::nullopt;
}

/// Two prefix lengths of one address would be two addresses, with routes of their own.
Result<void, Refusal> Ledger::checkGateways(const Attachment& attachment) {
  for (const auto& address : gatewayAddresses(attachment)) {
    const std::string wanted = shared_state::gateway(attachment, address);
    // Others were refused when this one came.
    if (TRY(mayBeReferenced(wanted))) continue;
    const std::string stem = shared_state::stem(wanted);
    for (const std::string& length : TRY(namesIn(state_, referenceDirectory(stem)))) {
      const std::string other = stem + "/" + length;
      if (const auto holder = TRY(anyReference(state_, other, std::nullopt))) {
        return inUseBy(*holder, "gateway address " + address.toString() + ": bridge " +
                                    routedLink(attachment).toString() + " has it with prefix length " + length +
                                    " for " + described(state_, *holder));
      }
      TRY(removeIfEmpty(state_, referenceDirectory(other)));
    }
  }
  return {};
}

Result<void, Refusal> Ledger::checkResolvConf(const Attachment& attachment) {
  if (!attachment.resolvConf) return {};
  const std::string& root = attachment.resolvConf->root;
  const auto other = TRY(anyReference(state_, shared_state::resolvConf(root), attachment.key));
  if (!other) return {};
  return inUseBy(*other, "resolv.conf in " + root + " is already managed for " + described(state_, *other) +
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
  const std::string text = TRY(checkedRecord(attachment, RecordState::Claimed));
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
    if (!lock.failedWith(netlib::Cause::Locked)) return fail(lock.error());
  }
}

Result<> Ledger::rewrite(const HostLock& /*hostLock*/, Record& record, Attachment attachment) {
  const std::string name = recordName(record.attachment.key);
  if (record.salvaged) return fail(netlib::Cause::Damaged, "record of " + described(attachment.key) + " is damaged");
  const std::string text = TRY(checkedRecord(attachment, record.state));
  // Locked before it has the record's name: a process that opens it by that name waits for this one.
  auto file = TRY(state_.openFile(kDraft, O_RDWR | O_CREAT | O_TRUNC));
  FileLock lock = TRY(FileLock::acquire(std::move(file), patience_, kDraft));
  TRY(netlib::writeAtOnce(lock.fd(), text, 0, state_.path() + "/" + kDraft));
  const timespec since = TRY(state_.modificationTime(name));
  TRY(state_.setModificationTime(kDraft, since));
  TRY(state_.rename(kDraft, name));
  record.attachment = std::move(attachment);
  record.lock = std::move(lock);
  record.length = text.size();
  return {};
}

Result<> Ledger::claimAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                          const HostLocal* files) {
  TRY(addSharedPorts(attachment.key, sharers));  // before the claims
  TRY(addClaims(attachment));
  return files == nullptr ? Result<>{} : files->reserveAll(ownerFrom(attachment.key), attachment.leases);
}

Result<> Ledger::addSharedPorts(const AttachmentKey& key, const std::vector<AttachmentKey>& sharers) {
  if (sharers.empty()) return {};
  const std::string shared = shared_state::sharedPorts(key.container);
  TRY(addReference(shared, key));
  for (const AttachmentKey& sharer : sharers) TRY(addReference(shared, sharer));
  return {};
}

Result<> Ledger::addClaims(const Attachment& attachment) {
  const AttachmentKey& key = attachment.key;
  for (const Lease& lease : attachment.leases) TRY(addClaim(state_, addressClaim(key, lease.address.address()), key));
  // Under the lock under which reserve() has looked.
  if (!attachment.leases.empty()) TRY(noteOwnChange(state_, key.network));
  for (const PortForward& forward : attachment.forwards) TRY(port_claims::add(state_, forward, key));
  // Last: a process that is killed before this leaves no reference that depends on an unclaimed lease or port.
  for (const std::string& sharedState : sharedStatesOf(attachment)) TRY(addReference(sharedState, key));
  return {};
}

Result<> Ledger::addMissingReferences(const HostLock& /*hostLock*/, const Attachment& attachment) {
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
