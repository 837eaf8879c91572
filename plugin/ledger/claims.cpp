#include "plugin/ledger/claims.h"

#include <algorithm>
#include <climits>
#include <ctime>

#include "netlib/base/hash.h"

#include "plugin/ledger/record.h"

namespace pons {

using netlib::Directory;
using netlib::Result;

namespace {

constexpr std::string_view kRecordSuffix = ".json";
constexpr timespec kOwnChange{.tv_sec = 946684800, .tv_nsec = 0};  // 2000-01-01 00:00:00 UTC

std::string join(std::string_view directory, std::string_view name) {
  return std::string{directory}.append(1, '/').append(name);
}

/// The members of a key cannot contain ':'.
std::string fileNameOf(const AttachmentKey& key) {
  const std::string name = key.container.toString() + ":" + key.ifName.toString();
  return key.plugin == ChainedPlugin::None ? name : name + ":" + std::string{nameOf(key.plugin)};
}

/// The key as one file name. If it exceeds NAME_MAX, a hash replaces its end: '~' and 16 digits are longer than any
/// interface name, so that it differs from the name of every other key.
std::string referenceName(const AttachmentKey& key) {
  std::string name = key.network.toString() + ":" + fileNameOf(key);
  constexpr std::size_t kReadable = NAME_MAX - 17;
  if (name.size() > NAME_MAX) name = name.substr(0, kReadable) + "~" + netlib::hexDigits(netlib::hashOf(name), 16);
  return name;
}

Result<std::optional<AttachmentKey>> anyReferenceIn(const Directory& state, const std::string& directory,
                                                    const std::optional<AttachmentKey>& except) {
  constexpr std::size_t kOwnAndOneMore = 2;  // constant cost for any number of references
  const std::string own = except ? referenceName(*except) : std::string{};
  for (;;) {
    auto names = state.list(directory, kOwnAndOneMore);
    if (names.failedWith(ENOENT) || names.failedWith(ENOTDIR)) return std::optional<AttachmentKey>{};
    if (!names.ok()) return netlib::fail(names.error());
    std::erase(*names, own);
    if (names->empty()) return std::optional<AttachmentKey>{};
    const std::string claim = join(directory, names->front());
    if (auto owner = TRY(ownerOf(state, claim))) return owner;
    TRY(state.remove(claim));
  }
}

std::string parentOf(std::string_view name) { return std::string{name.substr(0, name.rfind('/'))}; }

/// The path below the state directory to which a link of that path and target points.
std::string resolved(std::string_view link, std::string_view target) {
  std::string directory = parentOf(link);
  constexpr std::string_view kUp = "../";
  while (target.starts_with(kUp)) {
    target.remove_prefix(kUp.size());
    const std::size_t slash = directory.rfind('/');
    directory.resize(slash == std::string::npos ? 0 : slash);
  }
  return directory.empty() ? std::string{target} : join(directory, target);
}

/// Removes the text up to the separator from `rest` and returns it; nothing if there is no separator.
std::optional<std::string_view> cut(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

/// `pod` is empty where it is unknown.
std::string described(const AttachmentKey& key, const std::string& pod) {
  const std::string text = interfaceText(key, pod) + " of network " + key.network.toString();
  return key.plugin == ChainedPlugin::None ? text : text + ", plugin " + std::string{nameOf(key.plugin)};
}

}  // namespace

std::string networkDirectory(const NetworkName& network) { return join(kNetworks, network.toString()); }
std::string recordDirectory(const NetworkName& network) { return join(networkDirectory(network), "attachments"); }
std::string addressDirectory(const NetworkName& network) { return join(networkDirectory(network), "addresses"); }
std::string referenceDirectory(const std::string& sharedState) { return join(kHolds, sharedState); }

std::string portDirectory(Protocol protocol, Port hostPort) {
  return join(kPorts, std::string{nameOf(protocol)} + "-" + std::to_string(hostPort));
}

std::string recordName(const AttachmentKey& key) {
  return join(recordDirectory(key.network), fileNameOf(key)).append(kRecordSuffix);
}

// Short, so that the name of its draft (Directory::draftOf) does not exceed NAME_MAX.
std::string stagedName(const AttachmentKey& key) { return join(kStaged, hostVethName(key).toString()); }

std::optional<AttachmentKey> keyOfRecord(std::string_view name) {
  if (!name.ends_with(kRecordSuffix)) return std::nullopt;
  name.remove_suffix(kRecordSuffix.size());
  if (cut(name, '/') != kNetworks) return std::nullopt;
  const auto networkText = cut(name, '/');
  if (!networkText || cut(name, '/') != "attachments") return std::nullopt;
  const auto containerText = cut(name, ':');
  if (!containerText) return std::nullopt;

  std::string_view ifNameText = name;
  std::optional<ChainedPlugin> plugin = ChainedPlugin::None;
  if (const auto beforePlugin = cut(name, ':')) {
    ifNameText = *beforePlugin;
    plugin = parseChainedPlugin(name);
  }

  const auto network = NetworkName::parse(*networkText);
  const auto container = ContainerId::parse(*containerText);
  const auto ifName = netlib::IfName::parse(ifNameText);
  if (!network || !container || !ifName || !plugin) return std::nullopt;
  return AttachmentKey{*network, *container, *ifName, *plugin};
}

ClaimLink addressClaim(const AttachmentKey& key, const netlib::IpAddress& address) {
  return {.name = join(addressDirectory(key.network), address.toString()),
          .target = "../attachments/" + fileNameOf(key).append(kRecordSuffix)};
}

ClaimLink portClaim(const AttachmentKey& key, const PortForward& forward) {
  return {.name = join(portDirectory(forward.protocol, forward.hostPort), forward.hostAddress.toString()),
          .target = "../../" + recordName(key)};
}

ClaimLink referenceClaim(const AttachmentKey& key, const std::string& sharedState) {
  const std::string up = shared_state::valueIn(sharedState).empty() ? "../../" : "../../../";
  return {.name = join(referenceDirectory(sharedState), referenceName(key)), .target = up + recordName(key)};
}

Result<std::optional<AttachmentKey>> pointeeOf(const Directory& state, const std::string& claim) {
  const auto target = state.readSymlink(claim);
  if (target.failedWith(ENOENT)) return std::optional<AttachmentKey>{};
  if (target.failedWith(EINVAL))
    return netlib::fail(netlib::Cause::Damaged, state.path() + "/" + claim + " is not a symlink to a record");
  if (!target.ok()) return netlib::fail(target.error());
  auto key = keyOfRecord(resolved(claim, *target));
  if (!key) {
    return netlib::fail(netlib::Cause::Damaged,
                        state.path() + "/" + claim + " points to \"" + *target + "\", which is not a record");
  }
  return key;
}

Result<std::optional<AttachmentKey>> ownerOf(const Directory& state, const std::string& claim) {
  auto key = TRY(pointeeOf(state, claim));
  if (key && !TRY(state.exists(recordName(*key)))) key.reset();
  return key;
}

Result<> addClaim(const Directory& state, const ClaimLink& claim, const AttachmentKey& key) {
  // The directory usually exists: creating it first would be an extra system call per claim.
  Result<> made = state.createSymlink(claim.name, claim.target);
  if (made.failedWith(ENOENT)) {
    TRY(state.createDirectories(parentOf(claim.name)));
    made = state.createSymlink(claim.name, claim.target);
  }
  if (!made.failedWith(EEXIST)) return made;

  const auto owner = TRY(ownerOf(state, claim.name));
  if (owner == key) return {};
  if (owner) return netlib::fail(netlib::Cause::InUse, claim.name + " belongs to " + described(state, *owner));
  TRY(state.remove(claim.name));
  return state.createSymlink(claim.name, claim.target);
}

Result<> removeClaim(const Directory& state, const ClaimLink& claim, const AttachmentKey& key) {
  if (TRY(pointeeOf(state, claim.name)) != key) return {};
  return state.remove(claim.name);
}

Result<bool> hasOwnChangesOnly(const Directory& state, const NetworkName& network) {
  const auto changed = state.modificationTime(addressDirectory(network));
  if (changed.failedWith(ENOENT)) return false;
  if (!changed.ok()) return netlib::fail(changed.error());
  return changed->tv_sec == kOwnChange.tv_sec && changed->tv_nsec == kOwnChange.tv_nsec;
}

Result<> noteOwnChange(const Directory& state, const NetworkName& network) {
  return state.setModificationTime(addressDirectory(network), kOwnChange);
}

// The owner is in the name, and rmdir(2) fails with ENOTEMPTY if other references exist: reading link and directory
// first would be five more system calls per reference.
Result<bool> removeReference(const Directory& state, const std::string& sharedState, const AttachmentKey& key) {
  TRY(netlib::ignoring(ENOENT, state.remove(referenceClaim(key, sharedState).name)));
  if (!TRY(removeIfEmpty(state, referenceDirectory(sharedState)))) return false;
  if (shared_state::valueIn(sharedState).empty()) return true;
  const std::string stem = shared_state::stem(sharedState);
  const std::string whole = referenceDirectory(stem);
  if (TRY(removeIfEmpty(state, whole))) return true;
  if (TRY(anyReference(state, stem, std::nullopt))) return false;
  // A process that was killed here has left an empty directory of its value.
  for (const std::string& value : TRY(namesIn(state, whole))) TRY(removeIfEmpty(state, join(whole, value)));
  TRY(removeIfEmpty(state, whole));
  return true;
}

Result<std::optional<AttachmentKey>> anyReference(const Directory& state, const std::string& sharedState,
                                                  const std::optional<AttachmentKey>& except) {
  for (const std::string& directory : TRY(referenceDirectories(state, sharedState))) {
    if (auto owner = TRY(anyReferenceIn(state, directory, except))) return owner;
  }
  return std::optional<AttachmentKey>{};
}

Result<std::vector<std::string>> referenceDirectories(const Directory& state, const std::string& sharedState) {
  const std::string whole = referenceDirectory(sharedState);
  if (!shared_state::valueIn(sharedState).empty() || !shared_state::hasValues(sharedState)) return std::vector{whole};
  std::vector<std::string> directories;
  for (const std::string& value : TRY(namesIn(state, whole))) directories.push_back(join(whole, value));
  return directories;
}

Result<std::vector<std::string>> referenceDirectories(const Directory& state) {
  std::vector<std::string> directories;
  for (const std::string& name : TRY(namesIn(state, std::string{kHolds}))) {
    std::ranges::move(TRY(referenceDirectories(state, name)), std::back_inserter(directories));
    // An older pons may have left references without a value in it.
    if (shared_state::hasValues(name)) directories.push_back(referenceDirectory(name));
  }
  return directories;
}

Result<std::vector<std::string>> namesIn(const Directory& state, const std::string& directory) {
  auto names = state.list(directory);
  // A file in place of a directory was not created by pons and has no claims.
  if (names.failedWith(ENOENT) || names.failedWith(ENOTDIR)) return std::vector<std::string>{};
  return names;
}

Result<bool> removeIfEmpty(const Directory& state, const std::string& directory) {
  const Result<> removed = state.removeDirectory(directory);
  if (removed.failedWith(ENOTEMPTY) || removed.failedWith(ENOTDIR)) return false;
  if (!removed.ok() && !removed.failedWith(ENOENT)) return netlib::fail(removed.error());
  return true;
}

Result<> removeEmptyDirectories(const Directory& state) {
  for (const std::string& directory : TRY(referenceDirectories(state))) TRY(removeIfEmpty(state, directory));
  for (const std::string_view top : {kPorts, kHolds}) {
    for (const std::string& name : TRY(namesIn(state, std::string{top}))) TRY(removeIfEmpty(state, join(top, name)));
  }
  return {};
}

std::string described(const AttachmentKey& key) { return described(key, {}); }

std::string described(const Directory& state, const AttachmentKey& key) {
  const auto text = state.readFile(recordName(key), kMaxRecordBytes);
  const auto record = text ? decodeRecord(*text) : netlib::fail(text.error());
  return described(key, record ? record->attachment.pod : std::string{});
}

}  // namespace pons
