// Files of the ledger that are bind-mounted in containers.
#include <fcntl.h>
#include <sys/stat.h>

#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::Result;
using netlib::UniqueFd;

Result<UniqueFd> Ledger::stage(const AttachmentKey& key, const std::string& content) {
  TRY(state_.createDirectories(std::string{kStaged}));
  const Result<> created = state_.createFile(stagedName(key), content);
  if (!created && !created.failedWith(EEXIST)) return netlib::fail(created.error());
  UniqueFd file = TRY(state_.openFile(stagedName(key), O_RDONLY));
  constexpr mode_t kPublicFile = 0644;
  if (fchmod(file.get(), kPublicFile) < 0) return netlib::failErrno("cannot set mode 0644 of " + stagedName(key));
  return file;
}

Result<std::optional<UniqueFd>> Ledger::staged(const AttachmentKey& key) {
  auto file = state_.openFile(stagedName(key), O_RDONLY);
  if (file.failedWith(ENOENT)) return std::optional<UniqueFd>{};
  if (!file.ok()) return netlib::fail(file.error());
  return std::optional{std::move(*file)};
}

Result<> Ledger::unstage(const AttachmentKey& key) {
  for (const std::string& name : {stagedName(key), netlib::Directory::draftOf(stagedName(key))}) {
    const Result<> removed = state_.remove(name);
    if (!removed && !removed.failedWith(ENOENT)) return removed;
  }
  return {};
}

}  // namespace pons
