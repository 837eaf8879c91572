// What pons knows of its attachments, as files on tmpfs (drawn in ledger.cpp and in README.md). Written before the
// kernel is touched and released last, so that whatever a killed process leaves behind can be found and taken away.
//
// Every change of claims happens under one host lock, held for some file operations, and by a last holder while he
// takes shared state away. A verb that works on an attachment holds the lock of its record meanwhile. Order: a record's
// lock may be held while waiting for the host lock, never the other way round.
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

/// An attachment's record, locked for as long as this object lives.
struct Record {
  Attachment attachment;
  RecordState state;
  netlib::FileLock lock;
  std::size_t length = 0;              ///< of the file, bytes
  bool salvaged = false;               ///< made up from claims, see find(): it knows fewer holds than it has
  bool incomplete = false;             ///< names only what it has claimed: its ADD or DEL died among the claims
  std::vector<std::string> left = {};  ///< the holds that this run gave up already, see leave()
};

/// Far above what any number of ports and routes needs.
inline constexpr std::size_t kMaxRecordBytes = 16U << 20U;

/// An attachment's record as it was when somebody looked.
struct SeenRecord {
  Attachment attachment;
  RecordState state;
  std::chrono::system_clock::time_point since;  ///< it is in that state; full seconds
};

/// Makes the whole attachment once its addresses are known.
using Complete = std::function<netlib::Result<Attachment>(std::vector<Lease>)>;

class Ledger {
 public:
  /// Opens or makes the state directory (0700). `stateDir` is absolute. EPERM where a component that pons owns is a
  /// symlink, belongs to another user or is writable by others.
  /// `patience` bounds every wait for a lock; afterwards ETIMEDOUT, with the holder's process id.
  /// A directory of an earlier boot is emptied: its leases are void.
  static netlib::Result<Ledger> open(const std::string& stateDir, std::chrono::milliseconds patience);

  /// The same for those who only look: nothing is made or emptied. ENOENT where there is no state directory, ESTALE
  /// where it is of an earlier boot.
  static netlib::Result<Ledger> openExisting(const std::string& stateDir, std::chrono::milliseconds patience);

  /// True where leases of an earlier boot were found and given up.
  bool startedAfresh() const { return startedAfresh_; }

  /// The record of that attachment, once no other verb works on it; nothing where there is none.
  /// A record that cannot be read (torn by a crash, or damaged) is made up from the claims that point at it, in state
  /// Claimed: good enough to take everything away (salvage.h says what is known then). ENOTSUP where a newer pons wrote
  /// the record.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key) { return find(key, patience_); }
  /// The same with another patience; at 0 it is ETIMEDOUT where another verb is at work.
  netlib::Result<std::optional<Record>> find(const AttachmentKey& key, std::chrono::milliseconds patience);

  /// Reserves an address from each set and every port of the completed attachment, and writes it all down: all or
  /// nothing. Where the request has host-local's directory, the addresses are reserved there as well. A port that
  /// another attachment of the same container has is shared with it.
  /// Errors: EEXIST, the attachment exists; EADDRNOTAVAIL, a set has no free address (size and use in the message);
  /// EADDRINUSE, a requested address, a port, the bridge's subnet or the resolv.conf belongs to another attachment,
  /// which is named (see rival()); EINVAL, a requested address is outside every set, or the attachment is too large for
  /// a record.
  netlib::Result<Record> claim(const AttachmentKey& key, const AddressRequest& request, const HeldByHost& heldByHost,
                               const Complete& complete);

  /// What claim() failed for with EADDRINUSE; nothing where it was a requested address.
  const std::optional<AttachmentKey>& rival() const { return rival_; }

  /// Takes the holds of an attachment on record that it lacks: an older pons may have known fewer.
  netlib::Result<> retakeHolds(const netlib::FileLock& hostLock, const Attachment& attachment);

  /// False where claim() made the hold: then no other attachment had it before.
  bool wasHeld(const std::string& hold) const { return !founded_.contains(hold); }

  /// The ADD is done.
  netlib::Result<> commit(Record& record);

  /// From now on nobody rebuilds what this attachment has in the kernel: a DEL takes it away.
  netlib::Result<> markLeaving(const netlib::FileLock& hostLock, Record& record);

  /// While it lives nobody else claims, releases or asks whether he is the last.
  netlib::Result<netlib::FileLock> lockHost();

  /// Gives the hold up. True where nobody else has it: the caller takes the shared state away before he lets go of the
  /// host lock. A DEL that was killed in between is told so again, as long as nobody took the hold.
  netlib::Result<bool> leave(const netlib::FileLock& hostLock, const std::string& hold, Record& record);

  /// Who has that hold; locks nothing.
  netlib::Result<std::vector<AttachmentKey>> holders(const std::string& hold);
  /// The holds of which there are any whose names begin so; locks nothing.
  netlib::Result<std::vector<std::string>> holdsNamed(std::string_view prefix);

  /// False where no two attachments of that container can publish the same host port; locks nothing.
  netlib::Result<bool> sharesPorts(const ContainerId& container);
  /// Where this host port at this address leads: the first of the attachments which claimed it and are not being
  /// deleted, with that forward alone. `except` counts as deleted. Nothing where there is none. Locks nothing: without
  /// the host lock it is true of this moment only.
  netlib::Result<std::optional<Attachment>> leaderOf(const PortForward& forward,
                                                     const std::optional<AttachmentKey>& except = {});

  /// True where any attachment has that hold.
  netlib::Result<bool> isHeld(const netlib::FileLock& hostLock, const std::string& hold);

  /// Frees ports, addresses, remaining holds and at last the record itself, only ever what is this attachment's.
  /// Tolerates what is already gone. After the last release nothing is left below networks/, ports/ and holds/.
  netlib::Result<> release(const netlib::FileLock& hostLock, const Record& record);

  /// Removes what an ADD that died before it had a record may have left: directories without anything in them.
  netlib::Result<> tidy(const NetworkName& network);

  /// Values that shared state replaced on the host, by name (sysctl paths), kept under the name of its hold until it
  /// goes. The first writer wins: `remember` does nothing where something is already remembered. A damaged file
  /// remembers nothing: better a switch that stays on than a DEL that fails for ever. Call them under the host lock.
  netlib::Result<> remember(const std::string& hold, const std::map<std::string, std::string>& originals);
  netlib::Result<std::map<std::string, std::string>> remembered(const std::string& hold);
  netlib::Result<bool> hasRemembered(const std::string& hold);
  netlib::Result<> forget(const std::string& hold);

  /// A file for the attachment's container to read, 0644, kept until unstage(). A second call finds the first one's,
  /// with its content. `staged`: nothing where there is none.
  netlib::Result<netlib::UniqueFd> stage(const AttachmentKey& key, const std::string& content);
  netlib::Result<std::optional<netlib::UniqueFd>> staged(const AttachmentKey& key);
  netlib::Result<> unstage(const AttachmentKey& key);

  /// The attachments whose state in the kernel is to stay or is being made: all but those that a DEL is at work on.
  /// Records that cannot be read are passed over: nothing could be made from them.
  netlib::Result<std::vector<Attachment>> staying(const netlib::FileLock& hostLock);

  /// False where an attachment of that key has no record, whatever else there may be of it.
  netlib::Result<bool> isOnRecord(const AttachmentKey& key);
  /// True where an attachment has claimed that port.
  netlib::Result<bool> isClaimed(const PortForward& forward);
  /// The network's claims whose record is gone: their names below the state directory.
  netlib::Result<std::vector<std::string>> staleClaims(const NetworkName& network);
  /// Removes them.
  netlib::Result<> sweepClaims(const netlib::FileLock& hostLock, const NetworkName& network);

  /// One of the network's attachments, whichever; nothing where it has none. Locks nothing.
  netlib::Result<std::optional<Attachment>> anyOf(const NetworkName& network);

  /// How long any lock is waited for.
  std::chrono::milliseconds patience() const { return patience_; }

  /// EROFS, EACCES or ENOSPC where no attachment could be written down.
  netlib::Result<> checkWritable() { return state_.checkWritable(); }
  /// EADDRNOTAVAIL, with the numbers, where a set of the request has no free address. Reads the network's leases, also
  /// those of host-local, and locks nothing.
  netlib::Result<> checkFree(const NetworkName& network, const AddressRequest& request);

  /// The record of that attachment at this moment; nothing where there is none. Locks nothing, so that a verb may be at
  /// work on it. EBADMSG where it cannot be read, ENOTSUP where a newer pons wrote it.
  netlib::Result<std::optional<SeenRecord>> look(const AttachmentKey& key);

  /// The addresses that the network's attachments have claimed; locks nothing.
  netlib::Result<std::vector<netlib::IpAddress>> leased(const NetworkName& network);

  /// How many attachments have that hold; locks nothing.
  netlib::Result<std::size_t> countHolders(const std::string& hold);

  /// Every attachment on record, of all networks; locks nothing.
  netlib::Result<std::vector<AttachmentKey>> attachments();

 private:
  Ledger(netlib::Directory state, std::chrono::milliseconds patience) : state_(std::move(state)), patience_(patience) {}

  /// Two networks on one bridge must not lease from one subnet. As all who hold a gateway address are of one network,
  /// it is enough to look at any of them.
  netlib::Result<> checkGateways(const Attachment& attachment);
  /// A container in two networks has one resolv.conf.
  netlib::Result<> checkResolvConf(const Attachment& attachment);
  /// The record as it is at this moment; nothing where there is none, or none that can be read.
  netlib::Result<std::optional<RecordText>> peek(const std::string& name);
  netlib::Result<netlib::UniqueFd> makeRecordFile(const AttachmentKey& key);
  netlib::Result<> changeState(Record& record, RecordState state);
  netlib::Result<Record> writeRecord(Attachment attachment);
  netlib::Result<> takeAll(const Attachment& attachment, const std::vector<AttachmentKey>& sharers,
                           const HostLocal* files);
  netlib::Result<> takeClaims(const Attachment& attachment);
  netlib::Result<> takeHold(const std::string& hold, const AttachmentKey& key);
  netlib::Result<> dropClaims(const Record& record, const Attachment& attachment);
  netlib::Result<> dropUnknownClaims(const AttachmentKey& key);
  netlib::Result<> removeEmptyDirectories(const NetworkName& network);

  netlib::Directory state_;
  std::chrono::milliseconds patience_;
  bool startedAfresh_ = false;
  std::optional<AttachmentKey> rival_;
  std::set<std::string> founded_;
};

}  // namespace pons
