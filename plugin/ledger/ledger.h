// The state directory: which attachments exist and which addresses, ports and shared kernel state they use, as files
// (drawn in ledger.cpp and in README.md). They are written before the kernel is changed and removed last, so that DEL
// and GC find everything that a killed process left.
//
// Locks, both flock(2): claims change only under the host lock, which is held for a few file operations, and while the
// last reference to shared state is removed. ADD, CHECK and DEL lock the record of their attachment. Lock order: record
// before host.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <set>

#include "netlib/os/directory.h"
#include "netlib/os/file_lock.h"

#include "plugin/ledger/address_claims.h"
#include "plugin/ledger/record.h"
#include "plugin/model/attachment.h"

namespace pons {

/// An attachment's record, locked during the lifetime of this object.
struct Record {
  Attachment attachment;
  RecordState state;
  netlib::FileLock lock;
  std::size_t length = 0;                           ///< of the file, bytes
  bool salvaged = false;                            ///< reconstructed from claims, see find(); may lack references
  bool incomplete = false;                          ///< without unclaimed leases and ports: ADD or DEL was interrupted
  std::vector<std::string> droppedReferences = {};  ///< by this process, see dropReference()
};

inline constexpr std::size_t kMaxRecordBytes = 16U << 20U;

/// An attachment's record, read without a lock.
struct RecordSnapshot {
  Attachment attachment;
  RecordState state;
  std::chrono::system_clock::time_point since;  ///< last change of the state; resolution 1 s
};

/// Makes the attachment from its leases, in the order of the request: one per set, then the fixed ones. claim() calls
/// it under the host lock and host-local's lock: it must not lock, wait or run a program.
using Complete = std::function<netlib::Result<Attachment>(std::vector<Lease>)>;

class Ledger {
 public:
  /// Opens or creates the state directory (0700). `stateDir` is absolute (EINVAL). EPERM if a component that pons owns
  /// is a symlink, belongs to another user or is writable by others. `patience` limits every wait for a lock; then
  /// ETIMEDOUT, with the PID of the lock holder. Empties a directory that was written before the last reboot, under the
  /// host lock.
  static netlib::Result<Ledger> open(const std::string& stateDir, std::chrono::milliseconds patience);

  /// Read-only: creates and empties nothing. ENOENT if there is no state directory, ESTALE if it was written before the
  /// last reboot.
  static netlib::Result<Ledger> openExisting(const std::string& stateDir, std::chrono::milliseconds patience);

  /// True if open() discarded records that were written before the last reboot.
  bool wasResetAfterReboot() const { return wasReset_; }

  /// Locks and returns the record; nothing if there is none. ETIMEDOUT while another process has it locked, ENOTSUP if
  /// a newer pons wrote it. A record that cannot be parsed (torn by a crash, or damaged) is reconstructed from the
  /// claims that point to it, in state Claimed (see salvage.h): sufficient for a teardown. This takes the host lock:
  /// the caller must not hold it.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key) { return find(key, patience_); }
  /// Waits at most `patience` for the record's lock, at 0 not at all.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key, std::chrono::milliseconds patience);

  /// Writes the record and claims an address from each set, every port and all shared state of the attachment: all or
  /// nothing. Addresses are also reserved in host-local's directory if the request names one. Attachments of one
  /// container may share a port. Takes host-local's lock, then the host lock: the caller must not hold them.
  /// Errors: EEXIST, the attachment exists; EADDRNOTAVAIL, a set has no free address (size and use in the message);
  /// EADDRINUSE, a requested address, a port, the bridge's subnet or the resolv.conf belongs to another attachment,
  /// which the message names (see conflict()); EINVAL, a requested address is not in any set, or the record exceeds
  /// kMaxRecordBytes; ETIMEDOUT, a lock; those of `isHostAddress` and `complete`.
  netlib::Result<Record> claim(const AttachmentKey& key, const AddressRequest& request,
                               const IsHostAddress& isHostAddress, const Complete& complete);

  /// The attachment that made claim() fail with EADDRINUSE; nothing if the conflict was about an address.
  const std::optional<AttachmentKey>& conflict() const { return conflict_; }

  /// Adds references that the attachment lacks, because an older pons wrote its record.
  netlib::Result<> addMissingReferences(const netlib::FileLock& hostLock, const Attachment& attachment);

  /// False if claim() of this object added the first reference.
  bool hadReferences(const std::string& sharedState) const { return !firstReferences_.contains(sharedState); }

  /// Sets the state Committed. EBADMSG if the record is damaged or salvaged.
  netlib::Result<> commit(Record& record);

  /// Sets the state Deleting: repair and table rebuilds ignore the attachment from then on. Does nothing if salvaged.
  netlib::Result<> markDeleting(const netlib::FileLock& hostLock, Record& record);

  /// The lock for all changes of claims and references. ETIMEDOUT, with the PID of the lock holder.
  netlib::Result<netlib::FileLock> lockHost();

  /// Removes the attachment's reference. True if it was the last one: the caller removes the shared state before it
  /// releases the host lock. Idempotent: a repeated DEL gets the same answer while no other attachment adds a
  /// reference.
  netlib::Result<bool> dropReference(const netlib::FileLock& hostLock, const std::string& sharedState, Record& record);

  /// The attachments with a reference to that state. Takes no lock.
  netlib::Result<std::vector<AttachmentKey>> referencesTo(const std::string& sharedState);
  /// The shared states with that prefix. Takes no lock.
  netlib::Result<std::vector<std::string>> sharedStatesNamed(std::string_view prefix);

  /// False if no two attachments of that container publish the same host port. Takes no lock.
  netlib::Result<bool> sharesPorts(const ContainerId& container);
  /// The attachment to which this host port is forwarded, with no other forwards: the first one that claimed it and is
  /// not in state Deleting. `except` is ignored. Takes no lock: the answer lasts only while the caller has the host
  /// lock.
  netlib::Result<std::optional<Attachment>> portOwner(const PortForward& forward,
                                                      const std::optional<AttachmentKey>& except = {});

  /// Whether any attachment has a reference. Removes stale references.
  netlib::Result<bool> isReferenced(const netlib::FileLock& hostLock, const std::string& sharedState);

  /// Removes this attachment's claims on ports and addresses, its references and finally its record. Idempotent. After
  /// the last release networks/, ports/ and holds/ are empty.
  netlib::Result<> release(const netlib::FileLock& hostLock, const Record& record);

  /// Removes the network's empty directories, which an ADD leaves if it is killed before it writes the record. Takes
  /// the host lock.
  netlib::Result<> tidy(const NetworkName& network);

  /// The values that shared state replaced on the host, by name (sysctl path), to be restored with the last reference.
  /// The caller holds the host lock. saveOriginals() keeps values that are already saved. savedOriginals() is empty if
  /// nothing is saved or the file is damaged: a sysctl keeps its value then, rather than that every DEL fails.
  /// forgetOriginals() is idempotent. Errors are those of open(2), read(2), write(2), rename(2) and unlink(2), except
  /// ENOENT: in particular EROFS, EACCES and ENOSPC.
  netlib::Result<> saveOriginals(const std::string& sharedState, const std::map<std::string, std::string>& originals);
  netlib::Result<std::map<std::string, std::string>> savedOriginals(const std::string& sharedState);
  netlib::Result<bool> hasSavedOriginals(const std::string& sharedState);
  netlib::Result<> forgetOriginals(const std::string& sharedState);

  /// A file (0644) that is bind-mounted in the container. A second stage() returns the existing file, whatever its
  /// content. staged(): nothing if there is none. unstage() is idempotent. They take no lock.
  netlib::Result<netlib::UniqueFd> stage(const AttachmentKey& key, const std::string& content);
  netlib::Result<std::optional<netlib::UniqueFd>> staged(const AttachmentKey& key);
  netlib::Result<> unstage(const AttachmentKey& key);

  /// All attachments that are not in state Deleting. Records that cannot be parsed are skipped.
  netlib::Result<std::vector<Attachment>> activeAttachments(const netlib::FileLock& hostLock);

  netlib::Result<bool> hasRecord(const AttachmentKey& key);
  /// Whether this port at this address has a claim. Takes no lock.
  netlib::Result<bool> isClaimed(const PortForward& forward);
  /// The network's claims without a record, as paths below the state directory. Takes no lock.
  netlib::Result<std::vector<std::string>> staleClaims(const NetworkName& network);
  /// Removes staleClaims() and empty directories.
  netlib::Result<> sweepClaims(const netlib::FileLock& hostLock, const NetworkName& network);

  /// Any one attachment of the network in state Committed; nothing if there is none. Takes no lock.
  netlib::Result<std::optional<Attachment>> anyOf(const NetworkName& network);

  /// The longest wait for a lock.
  std::chrono::milliseconds patience() const { return patience_; }

  /// EROFS, EACCES or ENOSPC if no record could be written.
  netlib::Result<> checkWritable() { return state_.checkWritable(); }
  /// EADDRNOTAVAIL, with size and use, if a set of the request has no free address. Includes host-local's leases. Takes
  /// no lock.
  netlib::Result<> checkFree(const NetworkName& network, const AddressRequest& request);

  /// The current content of the record; nothing if there is none. Takes no lock: ADD or DEL may be changing it. EBADMSG
  /// if it cannot be parsed, ENOTSUP if a newer pons wrote it.
  netlib::Result<std::optional<RecordSnapshot>> snapshot(const AttachmentKey& key);

  /// The addresses that the network's attachments have claimed. Takes no lock.
  netlib::Result<std::vector<netlib::IpAddress>> leased(const NetworkName& network);

  /// Takes no lock.
  netlib::Result<std::size_t> countReferences(const std::string& sharedState);

  /// All attachments with a record, of all networks. Takes no lock.
  netlib::Result<std::vector<AttachmentKey>> attachments();

 private:
  Ledger(netlib::Directory state, std::chrono::milliseconds patience) : state_(std::move(state)), patience_(patience) {}

  /// EADDRINUSE if another network uses the same gateway address on the bridge: both would lease the same addresses.
  /// All references to a gateway address are of one network, so any one is sufficient.
  netlib::Result<> checkGateways(const Attachment& attachment);
  /// EADDRINUSE if another attachment has mounted a resolv.conf in the same root.
  netlib::Result<> checkResolvConf(const Attachment& attachment);
  /// Nothing if there is no record or it cannot be parsed.
  netlib::Result<std::optional<RecordText>> peek(const std::string& name);
  netlib::Result<netlib::UniqueFd> makeRecordFile(const AttachmentKey& key);
  netlib::Result<> changeState(Record& record, RecordState state);
  netlib::Result<Record> writeRecord(Attachment attachment);
  netlib::Result<> claimAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                            const HostLocal* files);
  netlib::Result<> addClaims(const Attachment& attachment);
  netlib::Result<> addReference(const std::string& sharedState, const AttachmentKey& key);
  netlib::Result<> removeClaims(const Record& record, const Attachment& attachment);
  netlib::Result<> removeUnknownClaims(const AttachmentKey& key);
  netlib::Result<> removeEmptyDirectories(const NetworkName& network);

  netlib::Directory state_;
  std::chrono::milliseconds patience_;
  bool wasReset_ = false;
  std::optional<AttachmentKey> conflict_;
  std::set<std::string> firstReferences_;
};

}  // namespace pons
