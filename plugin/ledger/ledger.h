// The state directory: which attachments exist and which addresses, ports and shared kernel state they use, as files
// (drawn in ledger.cpp; pons(8), FILES). They are written before the kernel is changed and removed last, so that DEL
// and GC find everything that a killed process left.
//
// Locks, both flock(2): claims change only under the host lock, which is held for a few file operations, and while the
// last reference to shared state is removed. ADD, CHECK and DEL lock the record of their attachment. Lock order: record
// before host.
#pragma once

#include <chrono>
#include <map>
#include <set>
#include <span>

#include "netlib/os/directory.h"
#include "netlib/os/file_lock.h"

#include "plugin/ledger/host_lock.h"
#include "plugin/ledger/record.h"
#include "plugin/ledger/refusal.h"
#include "plugin/model/address_request.h"
#include "plugin/model/shared_state.h"

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

/// An attachment's record, read without a lock.
struct RecordSnapshot {
  Attachment attachment;
  RecordState state;
  std::chrono::system_clock::time_point since;  ///< last change of the state; resolution 1 s
};

class HostLocal;
class Reservation;

/// A claim or a reference that an attachment does not have, although its record says so.
struct MissingClaim {
  std::string what;                    ///< "reservation of 10.42.0.7", "reference to bridge-pons0/demo"
  std::optional<AttachmentKey> owner;  ///< another attachment that has claimed the address or the port meanwhile
};

class Ledger {
 public:
  /// Opens or creates the state directory (0700). `stateDir` is absolute (Invalid). Unsafe if a component that pons
  /// owns is a symlink, belongs to another user or is writable by others. `patience` limits every wait for a lock; then
  /// Locked, with the PID of the lock holder. Empties a directory that was written before the last reboot, and gives
  /// values to the references of an older pons; both once, under the host lock.
  static netlib::Result<Ledger> open(const std::string& stateDir, std::chrono::milliseconds patience);

  /// The same, but does not create it: a state directory that does not exist is like an empty one, and what would
  /// change it, lockHost() included, fails with ENOENT.
  static netlib::Result<Ledger> openIfPresent(const std::string& stateDir, std::chrono::milliseconds patience);
  /// False only after openIfPresent().
  bool exists() const { return state_.exists(); }

  /// Creates and empties nothing; references of an older pons are converted, under the host lock. ENOENT if there is no
  /// state directory, Differs if it was written before the last reboot.
  static netlib::Result<Ledger> openExisting(const std::string& stateDir, std::chrono::milliseconds patience);

  /// True if open() has created the state directory.
  bool wasCreated() const { return state_.isNew(); }
  /// Removes the state directory if this object has created it and it has no record. For a host that has another one:
  /// a process that has opened this one meanwhile fails with ENOENT. Takes the host lock.
  netlib::Result<> removeIfCreated();

  /// True if open() discarded records that were written before the last reboot.
  bool wasResetAfterReboot() const { return wasReset_; }

  /// Locks and returns the record; nothing if there is none. Locked while another process has it locked, Unsupported if
  /// a newer pons wrote it. A record that cannot be parsed (torn by a crash, or damaged) is reconstructed from the
  /// claims that point to it, in state Claimed (see salvage.h): sufficient for a teardown. This takes the host lock.
  /// Internal where this object holds the host lock.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key) { return find(key, patience_); }
  /// Waits at most `patience` for the record's lock, at 0 not at all.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key, std::chrono::milliseconds patience);

  /// Chooses an address from each set, and reserves these and the fixed ones: none that another attachment on the
  /// bridge has, of whichever network, even if its claim was lost: that is restored first. Takes host-local's lock if
  /// the request names its directory, then the host lock: the caller must not hold them. The ledger must outlive the
  /// reservation. Errors: Attached; Exhausted, a set has no free address (size and use in the message); InUse, a
  /// requested or fixed address belongs to another attachment, which the message names, or a range overlaps one of
  /// another network on the bridge, with an attachment of that one as holder; Invalid, a requested address is not in
  /// any set; Locked.
  netlib::Result<Reservation, Refusal> reserve(const AttachmentKey& key, const netlib::IfName& bridge,
                                               const AddressRequest& request);

  /// The networks that have an attachment on the bridge. Takes no lock.
  netlib::Result<std::vector<NetworkName>> networksOn(const netlib::IfName& bridge);
  /// The same without `network`. Usually none: one system call.
  netlib::Result<std::vector<NetworkName>> networksBeside(const NetworkName& network, const netlib::IfName& bridge);

  /// Adds references that the attachment lacks, because an older pons wrote its record.
  netlib::Result<> addMissingReferences(const HostLock& hostLock, const Attachment& attachment);

  /// False if a reservation of this object added the first reference.
  bool hadReferences(const std::string& sharedState) const { return !firstReferences_.contains(sharedState); }

  /// Sets the state Committed. Damaged if the record is damaged or salvaged.
  netlib::Result<> commit(Record& record);

  /// Sets the state Deleting: repair and table rebuilds ignore the attachment from then on. Does nothing if salvaged.
  netlib::Result<> markDeleting(const HostLock& hostLock, Record& record);

  /// Replaces the content of a committed attachment's record atomically, and keeps its state and age. The new one has
  /// the same key, claims and references. Damaged if it is salvaged; Invalid, it exceeds kMaxRecordBytes; after these
  /// and the errors of open(2), write(2) and rename(2) the record is as before.
  netlib::Result<> rewrite(const HostLock& hostLock, Record& record, Attachment attachment);

  /// Locked, with the PID of the holder; after that it is tried without waiting. Internal where this object has locked
  /// it already: it would wait for itself.
  netlib::Result<HostLock> lockHost();

  /// Removes the attachment's reference to the state, of that value if it has one. True if none remains, of any value:
  /// the caller removes the shared state before it releases the host lock. Idempotent: a repeated DEL gets the same
  /// answer while no other attachment adds a reference.
  netlib::Result<bool> dropReference(const HostLock& hostLock, const std::string& sharedState, Record& record);

  /// The attachments with a reference to "name", of any value, or to "name/value". Takes no lock.
  netlib::Result<std::vector<AttachmentKey>> referencesTo(const std::string& sharedState);
  /// The values of the state of that name that have a reference. One directory is read, however many there are; none
  /// for a state without values. Takes no lock.
  netlib::Result<std::vector<std::string>> valuesOf(const std::string& name);
  /// The names of shared states with that prefix. Takes no lock.
  netlib::Result<std::vector<std::string>> sharedStatesNamed(std::string_view prefix);

  /// False if no two attachments of that container publish the same host port. Takes no lock.
  netlib::Result<bool> sharesPorts(const ContainerId& container);
  /// The attachment to which this host port is forwarded, with no other forwards: the first one that claimed it and is
  /// not in state Deleting. `except` is ignored. Takes no lock: the answer lasts only while the caller has the host
  /// lock.
  netlib::Result<std::optional<Attachment>> portOwner(const PortForward& forward,
                                                      const std::optional<AttachmentKey>& except = {});

  /// Whether any attachment has a reference to "name" or to "name/value". Removes stale references.
  netlib::Result<bool> isReferenced(const HostLock& hostLock, const std::string& sharedState);

  /// Removes this attachment's claims on ports and addresses, its references and finally its record. Idempotent. After
  /// the last release networks/, ports/ and holds/ are empty.
  netlib::Result<> release(const HostLock& hostLock, const Record& record);

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
  netlib::Result<std::vector<Attachment>> activeAttachments(const HostLock& hostLock);

  /// What of the attachment's addresses, ports and references is not claimed by it. Takes no lock.
  netlib::Result<std::vector<MissingClaim>> missingClaims(const Attachment& attachment);
  /// Claims that again. InUse, with the owner, for an address or port that another attachment has claimed meanwhile;
  /// the others are claimed.
  netlib::Result<> restoreClaims(const HostLock& hostLock, const Attachment& attachment);

  netlib::Result<bool> hasRecord(const AttachmentKey& key);
  /// For messages: "container c1 (eth0) of network demo", with the pod if the record has one. Takes no lock.
  std::string describe(const AttachmentKey& key) const;
  /// Whether this port at this address has a claim that is not stale. Takes no lock.
  netlib::Result<bool> isClaimed(const PortForward& forward);
  /// The network's claims without a record, as paths below the state directory. Takes no lock.
  netlib::Result<std::vector<std::string>> staleClaims(const NetworkName& network);
  /// Removes staleClaims() and empty directories.
  netlib::Result<> sweepClaims(const HostLock& hostLock, const NetworkName& network);

  /// Any one attachment of the network in state Committed; nothing if there is none. Takes no lock.
  netlib::Result<std::optional<Attachment>> anyOf(const NetworkName& network);

  /// The state directory without symlinks: what it is called by the kernel objects of this ledger.
  const std::string& path() const { return path_; }

  /// The longest wait for a lock.
  std::chrono::milliseconds patience() const { return patience_; }

  /// EROFS, EACCES or ENOSPC if no record could be written.
  netlib::Result<> checkWritable() { return state_.checkWritable(); }
  /// Exhausted, with size and use, if a set of the request has no free address. Includes host-local's leases, and those
  /// of other networks on the bridge. Takes no lock.
  netlib::Result<> checkFree(const NetworkName& network, const netlib::IfName& bridge, const AddressRequest& request);

  /// The current content of the record; nothing if there is none. Takes no lock: ADD or DEL may be changing it. Damaged
  /// if it cannot be parsed, Unsupported if a newer pons wrote it.
  netlib::Result<std::optional<RecordSnapshot>> snapshot(const AttachmentKey& key);

  /// The addresses that the network's attachments have claimed, without stale claims. Takes no lock.
  netlib::Result<std::vector<netlib::IpAddress>> leased(const NetworkName& network);

  /// Takes no lock.
  netlib::Result<std::size_t> countReferences(const std::string& sharedState);
  /// False if there is no reference to "name" or "name/value". True also for stale references. One system call, no
  /// lock.
  netlib::Result<bool> mayBeReferenced(const std::string& sharedState);

  /// All attachments with a record, of all networks. Takes no lock.
  netlib::Result<std::vector<AttachmentKey>> attachments();

 private:
  Ledger(netlib::Directory state, std::chrono::milliseconds patience);
  static netlib::Result<Ledger> prepared(netlib::Directory state, std::chrono::milliseconds patience);

  /// References of an older pons get values. Takes the host lock if it must. Changes nothing in a directory without
  /// references: it is new, or none of pons.
  netlib::Result<> convertOlderLayout();
  /// Makes a new directory one of pons. Takes the host lock.
  netlib::Result<> create();
  /// Those to names of shared states, except `valid` paths and those of damaged records.
  netlib::Result<> removeFlatReferences(const std::set<std::string>& valid);

  /// Claims addresses again that the network's attachments have lost, unless others have them meanwhile. One system
  /// call where none is lost. The caller holds the host lock, here and below.
  netlib::Result<> restoreLostAddresses(const NetworkName& network);
  netlib::Result<> restoreAddress(const Attachment& attachment, const netlib::IpAddress& address);
  netlib::Result<> restorePort(const Attachment& attachment, const PortForward& forward);
  netlib::Result<> restoreReferences(const HostLock& hostLock, const Attachment& attachment);
  /// The attachment that has claimed the address, of all networks on the bridge. Takes no lock.
  netlib::Result<std::optional<AttachmentKey>> addressOwner(const Attachment& attachment,
                                                            const netlib::IpAddress& address);

  friend class Reservation;
  netlib::Result<Record, Refusal> claim(const HostLock& hostLock, Attachment attachment, const HostLocal* files);
  /// InUse if ranges of the request overlap those of one of the other networks on the bridge. Only compares where the
  /// network is new there or its ranges are.
  netlib::Result<void, Refusal> checkRanges(const AttachmentKey& key, const netlib::IfName& bridge,
                                            const AddressRequest& request, std::span<const NetworkName> others);
  /// InUse if the bridge has the gateway address with another prefix length.
  netlib::Result<void, Refusal> checkGateways(const Attachment& attachment);
  /// InUse if another attachment has mounted a resolv.conf in the same root.
  netlib::Result<void, Refusal> checkResolvConf(const Attachment& attachment);
  /// Any one attachment of the network on the bridge whose record can be read.
  netlib::Result<std::optional<Attachment>> anyOn(const netlib::IfName& bridge, const NetworkName& network);
  /// Nothing if there is no record or it cannot be parsed.
  netlib::Result<std::optional<RecordText>> peek(const std::string& name);
  netlib::Result<netlib::UniqueFd> makeRecordFile(const AttachmentKey& key);
  netlib::Result<> changeState(Record& record, RecordState state);
  netlib::Result<Record> writeRecord(Attachment attachment);
  netlib::Result<> claimAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                            const HostLocal* files);
  netlib::Result<> addClaims(const Attachment& attachment);
  /// References by which DEL knows that other attachments of its container have claimed its ports, too.
  netlib::Result<> addSharedPorts(const AttachmentKey& key, const std::vector<AttachmentKey>& sharers);
  netlib::Result<> addReference(const std::string& sharedState, const AttachmentKey& key);
  netlib::Result<> removeClaims(const Record& record, const Attachment& attachment);
  netlib::Result<> removeUnknownClaims(const AttachmentKey& key);
  netlib::Result<> removeEmptyDirectories(const NetworkName& network);

  netlib::Directory state_;
  std::string path_;
  std::chrono::milliseconds patience_;
  bool wasReset_ = false;
  bool isNew_ = false;
  bool hostLockTimedOut_ = false;
  std::weak_ptr<const void> hostLock_;  ///< expired while this object does not hold it
  std::set<std::string> firstReferences_;
};

}  // namespace pons
