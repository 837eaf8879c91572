// The part of the ledger that people's tools ask: nothing here makes, locks or changes anything.
#include <fcntl.h>
#include <sys/stat.h>

#include "plugin/ledger/boot.h"
#include "plugin/ledger/claimed_addresses.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

#include "netlib/os/file.h"

namespace pons {

using netlib::Result;

Result<Ledger> Ledger::openExisting(const std::string& stateDir, std::chrono::milliseconds patience) {
  Ledger ledger{TRY(netlib::Directory::openExisting(stateDir)), patience};
  if (!TRY(isFromEarlierBoot(ledger.state_))) return ledger;
  return netlib::fail(ESTALE, stateDir + " is of an earlier boot: its records are void, and the next ADD empties it");
}

Result<std::optional<SeenRecord>> Ledger::look(const AttachmentKey& key) {
  const std::string name = recordName(key);
  const auto file = state_.openFile(name, O_RDONLY);
  if (file.failedWith(ENOENT)) return std::optional<SeenRecord>{};
  if (!file.ok()) return netlib::fail(file.error());
  const std::string text = TRY(netlib::readAll(file->get(), kMaxRecordBytes, name));
  RecordText record = TRY(decodeRecord(text));
  struct stat status {};
  if (fstat(file->get(), &status) < 0) return netlib::failErrno("cannot examine " + name);
  // A record is written twice: when it is made, and in place when its state changes.
  const auto since = std::chrono::system_clock::from_time_t(status.st_mtim.tv_sec);
  return std::optional<SeenRecord>{{std::move(record.attachment), record.state, since}};
}

Result<std::vector<netlib::IpAddress>> Ledger::leased(const NetworkName& network) {
  return ClaimedAddresses{state_, network}.all();
}

Result<std::size_t> Ledger::countHolders(const std::string& hold) {
  std::size_t holders = 0;
  for (const std::string& name : TRY(namesIn(state_, holdDirectory(hold)))) {
    const auto holder = TRY(ownerOf(state_, holdDirectory(hold) + "/" + name));
    if (holder) ++holders;
  }
  return holders;
}

}  // namespace pons
