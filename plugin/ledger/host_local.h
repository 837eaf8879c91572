// The leases of the reference IPAM plugin "host-local", as it keeps them on disk: what it leased is honoured here, and
// what is leased here it honours. Format: containernetworking/plugins, plugins/ipam/host-local/backend/disk.
//
//   /var/lib/cni/networks/demo/       0755; the network's name below "dataDir"
//     lock                            flock(2) on it goes before every look and change
//     10.1.0.7                        "<container id>\r\n<interface>", without a newline at the end
//     last_reserved_ip.0              the last address leased from range set 0, where the next choice begins
#pragma once

#include <chrono>
#include <functional>
#include <span>

#include "netlib/os/directory.h"
#include "netlib/os/file_lock.h"

#include "plugin/ledger/address_register.h"
#include "plugin/model/attachment.h"

namespace pons {

/// Whose an address is. Not our types: the reference takes container ids of any length.
struct HostLocalOwner {
  std::string container;
  std::string ifName;  ///< empty in files of reference plugins before 0.8.3

  friend bool operator==(const HostLocalOwner&, const HostLocalOwner&) = default;
};
HostLocalOwner ownerFrom(const AttachmentKey& key);

/// One network's directory. An address whose file cannot be read counts as somebody's. One whose file is empty is
/// nobody's: files are filled under the lock under which they are made, so that an empty one is what a crash left, and
/// its container was never told of the address. It is taken back where the network is full, and by removeStale().
class HostLocal final : public AddressRegister {
 public:
  /// Makes the directory where it is missing, and locks it; waits at most `patience` (ETIMEDOUT). EPERM as in
  /// netlib::Directory.
  static netlib::Result<HostLocal> lock(const std::string& dataDir, const NetworkName& network,
                                        std::chrono::milliseconds patience);
  /// The same where there is a directory.
  static netlib::Result<std::optional<HostLocal>> lockExisting(const std::string& dataDir, const NetworkName& network,
                                                               std::chrono::milliseconds patience);
  /// Without the lock, for looking only.
  static netlib::Result<std::optional<HostLocal>> peek(const std::string& dataDir, const NetworkName& network);

  netlib::Result<bool> has(const netlib::IpAddress& address) const override;
  netlib::Result<std::vector<netlib::IpAddress>> all() const override;
  netlib::Result<std::optional<std::string>> ownerOf(const netlib::IpAddress& address) const override;
  netlib::Result<bool> removeStale() const override;

  /// Whether the address is that owner's. One system call or two, whatever the number of leases.
  netlib::Result<bool> belongsTo(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// The addresses of an owner. Reads every file, as the reference does: for what nobody has on record.
  netlib::Result<std::vector<netlib::IpAddress>> addressesOf(const HostLocalOwner& owner) const;

  /// Leases the address to that owner; nothing changes where he has it. EADDRINUSE, with the owner, where it is
  /// another's.
  netlib::Result<> reserve(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// All of them or none. They are one of each range set, in that order: from each its round robin goes on.
  netlib::Result<> reserveAll(const HostLocalOwner& owner, std::span<const Lease> leases) const;
  /// Frees the address where it is that owner's.
  netlib::Result<> release(const HostLocalOwner& owner, const netlib::IpAddress& address) const;
  /// Frees everything of that owner, at the price of addressesOf().
  netlib::Result<> releaseAll(const HostLocalOwner& owner) const;
  /// Frees every address whose owner is garbage, and those that are nobody's.
  netlib::Result<> sweep(const std::function<netlib::Result<bool>(const HostLocalOwner&)>& isGarbage) const;

  /// Where the round robin of that range set stands; nothing where it has not begun, or where the file is damaged.
  netlib::Result<std::optional<netlib::IpAddress>> lastOf(std::size_t rangeSet) const;

  /// EROFS, EACCES or ENOSPC where no lease could be written down.
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
