// Read-only queries of the ledger, without locks, for ponsctl.
#include <fcntl.h>
#include <sys/stat.h>

#include "netlib/os/file.h"

#include "plugin/ledger/boot.h"
#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::Result;

Result<Ledger> Ledger::openExisting(const std::string& stateDir, std::chrono::milliseconds patience) {
  netlib::Directory state = TRY(netlib::Directory::openExisting(stateDir));
  Ledger ledger{std::move(state), patience};
  if (TRY(isFromEarlierBoot(ledger.state_))) {
    return netlib::fail(netlib::Cause::Differs,
                        stateDir + " was written before the last reboot: the next ADD discards its records");
  }
  TRY(ledger.convertOlderLayout());
  return ledger;
}

Result<std::optional<RecordSnapshot>> Ledger::snapshot(const AttachmentKey& key) {
  const std::string name = recordName(key);
  const auto file = state_.openFile(name, O_RDONLY);
  if (file.failedWith(ENOENT)) return std::optional<RecordSnapshot>{};
  if (!file.ok()) return netlib::fail(file.error());
  const std::string text = TRY(netlib::readAll(file->get(), kMaxRecordBytes, name));
  RecordText record = TRY(decodeRecord(text));
  struct stat status {};
  if (fstat(file->get(), &status) < 0) return netlib::failErrno("cannot stat " + name);
  // A record is written when it is created and when its state changes.
  const auto since = std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
  return std::optional<RecordSnapshot>{{std::move(record.attachment), record.state, since}};
}

Result<std::vector<netlib::IpAddress>> Ledger::leased(const NetworkName& network) {
  std::vector<netlib::IpAddress> leased;
  for (const netlib::IpAddress& address : TRY(ClaimedAddresses(state_, network).all())) {
    if (TRY(ownerOf(state_, addressDirectory(network) + "/" + address.toString()))) leased.push_back(address);
  }
  return leased;
}

}  // namespace pons
