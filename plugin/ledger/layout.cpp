// New state directories, and those of an older pons, whose references were to the names of shared states alone, as in
// holds/bridge-pons0/demo:c1:eth0.
#include <set>

#include "plugin/ledger/boot.h"
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::Result;

namespace {

/// A directory, which exists where references have values.
constexpr const char* kLayout = "layout.2";

}  // namespace

Result<> Ledger::convertOlderLayout() {
  if (TRY(state_.exists(kLayout))) return {};
  isNew_ = !TRY(state_.exists(std::string{kHolds}));
  if (isNew_) return {};
  const HostLock hostLock = TRY(lockHost());
  std::set<std::string> valid;
  for (const AttachmentKey& key : TRY(attachments())) {
    const auto record = TRY(peek(recordName(key)));
    if (!record) continue;
    TRY(addMissingReferences(hostLock, record->attachment));
    for (const std::string& state : sharedStatesOf(record->attachment)) valid.insert(referenceClaim(key, state).name);
  }
  TRY(removeFlatReferences(valid));
  TRY(pons::removeEmptyDirectories(state_));
  return state_.createDirectories(kLayout);
}

Result<> Ledger::create() {
  const HostLock hostLock = TRY(lockHost());
  TRY(noteBoot(state_));
  return state_.createDirectories(kLayout);
}

Result<> Ledger::removeIfCreated() {
  if (!state_.isNew()) return {};
  const HostLock hostLock = TRY(lockHost());
  if (!TRY(attachments()).empty()) return {};
  TRY(pons::removeEmptyDirectories(state_));
  for (const std::string& name : TRY(state_.list("."))) {
    if (!TRY(removeIfEmpty(state_, name))) TRY(netlib::ignoring(EISDIR, state_.remove(name)));
  }
  return netlib::ignoring(ENOTEMPTY, state_.removeSelf());
}

Result<> Ledger::removeFlatReferences(const std::set<std::string>& valid) {
  for (const std::string& state : TRY(namesIn(state_, std::string{kHolds}))) {
    if (state.starts_with(shared_state::kSharedPortsPrefix)) continue;
    for (const std::string& name : TRY(namesIn(state_, referenceDirectory(state)))) {
      const std::string reference = referenceDirectory(state) + "/" + name;
      const auto pointee = pointeeOf(state_, reference);
      if (valid.contains(reference) || pointee.failedWith(netlib::Cause::Damaged)) continue;  // or of a value
      if (!pointee.ok()) return netlib::fail(pointee.error());
      // A damaged record is reconstructed from its references.
      const bool isDamaged = *pointee && !TRY(peek(recordName(**pointee))) && TRY(hasRecord(**pointee));
      if (!isDamaged) TRY(state_.remove(reference));
    }
  }
  return {};
}

}  // namespace pons
