// The lease files of the reference IPAM plugin host-local, so that both plugins respect each other's leases. Format:
// containernetworking/plugins, plugins/ipam/host-local/backend/disk.
//
//   /var/lib/cni/networks/demo/       0755; the network's name below "dataDir"
//     lock                            flock(2), exclusive
//     10.1.0.7                        "<container id>\r\n<interface>", without a newline at the end
//     last_reserved_ip.0              the last address leased from range set 0, for the round robin
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "netlib/os/directory.h"
#include "netlib/os/file_lock.h"

#include "plugin/ledger/address_register.h"
#include "plugin/model/attachment.h"

namespace pons {

/// Owner of an address. Strings, because host-local accepts container ids of any length.
struct HostLocalOwner {
  std::string container;
  std::string ifName;  ///< empty in files of reference plugins before 0.8.3

  friend bool operator==(const HostLocalOwner&, const HostLocalOwner&) = default;
};
HostLocalOwner ownerFrom(const AttachmentKey& key);

/// One network's directory. An address with an unreadable file counts as leased. An empty file is stale: files are
/// created and written under one lock, so it is the result of a crash before the ADD returned the address.
/// removeStale() removes it, and ADD does if the network has no other free address.
class HostLocal final : public AddressRegister {
 public:
  /// Creates the directory if it is missing, and locks it; waits at most `patience` (Locked). The lock lasts for the
  /// lifetime of the object. Unsafe: see netlib::Directory::openShared().
  static netlib::Result<HostLocal> lock(const std::string& dataDir, const NetworkName& network,
                                        std::chrono::milliseconds patience);
  /// The same without creating the directory; nothing if there is none.
  static netlib::Result<std::optional<HostLocal>> lockExisting(const std::string& dataDir, const NetworkName& network,
                                                               std::chrono::milliseconds patience);
  /// Without the lock, read-only.
  static netlib::Result<std::optional<HostLocal>> peek(const std::string& dataDir, const NetworkName& network);

  netlib::Result<bool> has(const netlib::IpAddress& address) const override;
  netlib::Result<std::vector<netlib::IpAddress>> all() const override;
  netlib::Result<std::optional<std::string>> ownerOf(const netlib::IpAddress& address) const override;
  netlib::Result<bool> removeStale() const override;

  /// O(1): reads one file.
  netlib::Result<bool> belongsTo(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// Reads every file, as host-local does: for owners without a record in the ledger. Files without an interface count
  /// only if no other file matches.
  netlib::Result<std::vector<netlib::IpAddress>> addressesOf(const HostLocalOwner& owner) const;

  /// Leases the address to that owner. Idempotent. InUse, with the owner, if it is leased to another one.
  netlib::Result<> reserve(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// All or nothing. leases[i] is from range set i and sets its last_reserved_ip.
  netlib::Result<> reserveAll(const HostLocalOwner& owner, std::span<const Lease> leases) const;
  /// Frees the address if it is leased to that owner. Idempotent.
  netlib::Result<> release(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// Frees addressesOf(owner).
  netlib::Result<> releaseAll(const HostLocalOwner& owner) const;
  /// Frees every address whose owner is an orphan, and removes stale entries.
  netlib::Result<> sweep(const std::function<netlib::Result<bool>(const HostLocalOwner&)>& isOrphan) const;

  /// The last address leased from that range set; nothing if there is no such file or it is damaged.
  netlib::Result<std::optional<netlib::IpAddress>> lastOf(std::size_t rangeSet) const;

  /// EROFS, EACCES or ENOSPC if no lease could be written.
  netlib::Result<> checkWritable() const { return directory_.checkWritable(); }

 private:
  explicit HostLocal(netlib::Directory directory) : directory_(std::move(directory)) {}
  netlib::Result<> takeLock(std::chrono::milliseconds patience);
  netlib::Result<> setLast(std::size_t rangeSet, const netlib::IpAddress& address) const;
  netlib::Result<std::optional<HostLocalOwner>> read(const netlib::IpAddress& address) const;

  netlib::Directory directory_;
  std::optional<netlib::FileLock> lock_;
};

}  // namespace pons
