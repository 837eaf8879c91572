// References of attachments to what they share: below holds/, see ledger.cpp.
#include "plugin/ledger/claims.h"
#include "plugin/ledger/ledger.h"

namespace pons {

using netlib::fail;
using netlib::Result;

namespace {

/// Whether a reference in the directory is not stale. Reads a few first: the cost does not grow with the references.
Result<bool> hasLiveReference(const netlib::Directory& state, const std::string& directory) {
  constexpr std::size_t kAFew = 4;
  for (const std::size_t limit : {kAFew, SIZE_MAX}) {
    const auto names = state.list(directory, limit);
    if (names.failedWith(ENOENT) || names.failedWith(ENOTDIR)) return false;
    if (!names.ok()) return fail(names.error());
    for (const std::string& name : *names) {
      if (TRY(ownerOf(state, directory + "/" + name))) return true;
    }
    if (names->size() < limit) return false;
  }
  return false;
}

}  // namespace

Result<bool> Ledger::dropReference(const HostLock& /*hostLock*/, const std::string& sharedState, Record& record) {
  // A salvaged record keeps its claims until release(): a repeated DEL is reconstructed from them.
  if (record.salvaged) return !TRY(anyReference(state_, sharedState, record.attachment.key)).has_value();
  const bool last = TRY(removeReference(state_, sharedState, record.attachment.key));
  record.droppedReferences.push_back(sharedState);
  return last;
}

Result<std::vector<AttachmentKey>> Ledger::referencesTo(const std::string& sharedState) {
  std::vector<AttachmentKey> references;
  for (const std::string& directory : TRY(referenceDirectories(state_, sharedState))) {
    for (const std::string& name : TRY(namesIn(state_, directory))) {
      if (auto owner = TRY(ownerOf(state_, directory + "/" + name))) references.push_back(*std::move(owner));
    }
  }
  return references;
}

Result<std::vector<std::string>> Ledger::valuesOf(const std::string& name) {
  std::vector<std::string> values;
  for (std::string& value : TRY(namesIn(state_, referenceDirectory(name)))) {
    if (TRY(hasLiveReference(state_, referenceDirectory(name + "/" + value)))) values.push_back(std::move(value));
  }
  return values;
}

Result<std::vector<std::string>> Ledger::sharedStatesNamed(std::string_view prefix) {
  std::vector<std::string> names = TRY(namesIn(state_, std::string{kHolds}));
  std::erase_if(names, [prefix](const std::string& name) { return !name.starts_with(prefix); });
  return names;
}

Result<bool> Ledger::isReferenced(const HostLock& /*hostLock*/, const std::string& sharedState) {
  return TRY(anyReference(state_, sharedState, std::nullopt)).has_value();
}

Result<std::vector<NetworkName>> Ledger::networksOn(const netlib::IfName& bridge) {
  std::vector<NetworkName> networks;
  for (const std::string& network : TRY(namesIn(state_, referenceDirectory(shared_state::bridgeStem(bridge))))) {
    // Other names were not created by pons.
    if (auto name = NetworkName::parse(network)) networks.push_back(*std::move(name));
  }
  return networks;
}

Result<std::vector<NetworkName>> Ledger::networksBeside(const NetworkName& network, const netlib::IfName& bridge) {
  const std::string own = referenceDirectory(shared_state::bridgeStem(bridge) + "/" + network.toString());
  const auto count = state_.countDirectories(own + "/..");
  if (count.ok() && *count == std::size_t{1}) return std::vector<NetworkName>{};
  std::vector<NetworkName> networks = TRY(networksOn(bridge));
  std::erase(networks, network);
  return networks;
}

Result<std::size_t> Ledger::countReferences(const std::string& sharedState) {
  return TRY(referencesTo(sharedState)).size();
}

Result<bool> Ledger::mayBeReferenced(const std::string& sharedState) {
  return state_.exists(referenceDirectory(sharedState));
}

}  // namespace pons
