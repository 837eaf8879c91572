#include "plugin/ledger/claims.h"

#include <climits>

#include "netlib/base/hash.h"

namespace pons {

using netlib::Directory;
using netlib::Result;

namespace {

constexpr std::string_view kRecordSuffix = ".json";

std::string join(std::string_view directory, std::string_view name) {
  return std::string{directory}.append(1, '/').append(name);
}

/// No part of a key holds a ':', so it separates them safely.
std::string fileNameOf(const AttachmentKey& key) {
  const std::string name = key.container.toString() + ":" + key.ifName.toString();
  return key.part == Part::Network ? name : name + ":" + std::string{nameOf(key.part)};
}

/// The key as one file name. Where it is too long for one, its end becomes a hash; '~' and 16 digits are longer than
/// any interface name, so that this is never the name of another key.
std::string holderName(const AttachmentKey& key) {
  std::string name = key.network.toString() + ":" + fileNameOf(key);
  constexpr std::size_t kReadable = NAME_MAX - 17;
  if (name.size() > NAME_MAX) name = name.substr(0, kReadable) + "~" + netlib::hexDigits(netlib::hashOf(name), 16);
  return name;
}

std::string parentOf(std::string_view name) { return std::string{name.substr(0, name.rfind('/'))}; }

/// The name below the state directory that a link of that name and target leads to.
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

/// Cuts the text up to the separator off `rest`; nothing where there is no separator.
std::optional<std::string_view> cut(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view part = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return part;
}

}  // namespace

std::string networkDirectory(const NetworkName& network) { return join(kNetworks, network.toString()); }
std::string recordDirectory(const NetworkName& network) { return join(networkDirectory(network), "attachments"); }
std::string addressDirectory(const NetworkName& network) { return join(networkDirectory(network), "addresses"); }
std::string holdDirectory(const std::string& hold) { return join(kHolds, hold); }

std::string portDirectory(Protocol protocol, Port hostPort) {
  return join(kPorts, std::string{nameOf(protocol)} + "-" + std::to_string(hostPort));
}

std::string recordName(const AttachmentKey& key) {
  return join(recordDirectory(key.network), fileNameOf(key)).append(kRecordSuffix);
}

// As short as the link's: a draft of it needs a longer one.
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
  std::optional<Part> part = Part::Network;
  if (const auto beforePart = cut(name, ':')) {
    ifNameText = *beforePart;
    part = parsePart(name);
  }

  const auto network = NetworkName::parse(*networkText);
  const auto container = ContainerId::parse(*containerText);
  const auto ifName = netlib::IfName::parse(ifNameText);
  if (!network || !container || !ifName || !part) return std::nullopt;
  return AttachmentKey{*network, *container, *ifName, *part};
}

ClaimLink addressClaim(const AttachmentKey& key, const netlib::IpAddress& address) {
  return {.name = join(addressDirectory(key.network), address.toString()),
          .target = "../attachments/" + fileNameOf(key).append(kRecordSuffix)};
}

ClaimLink portClaim(const AttachmentKey& key, const PortForward& forward) {
  return {.name = join(portDirectory(forward.protocol, forward.hostPort), forward.hostAddress.toString()),
          .target = "../../" + recordName(key)};
}

ClaimLink holdClaim(const AttachmentKey& key, const std::string& hold) {
  return {.name = join(holdDirectory(hold), holderName(key)), .target = "../../" + recordName(key)};
}

Result<std::optional<AttachmentKey>> pointeeOf(const Directory& state, const std::string& claim) {
  const auto target = state.readLink(claim);
  if (target.failedWith(ENOENT)) return std::optional<AttachmentKey>{};
  if (target.failedWith(EINVAL)) return netlib::fail(EBADMSG, state.path() + "/" + claim + " is no link to a record");
  if (!target.ok()) return netlib::fail(target.error());
  auto key = keyOfRecord(resolved(claim, *target));
  if (!key) {
    return netlib::fail(EBADMSG, state.path() + "/" + claim + " leads to no record but to \"" + *target + "\"");
  }
  return key;
}

Result<std::optional<AttachmentKey>> ownerOf(const Directory& state, const std::string& claim) {
  auto key = TRY(pointeeOf(state, claim));
  if (key && !TRY(state.exists(recordName(*key)))) key.reset();
  return key;
}

Result<> take(const Directory& state, const ClaimLink& claim, const AttachmentKey& key) {
  // The directory is nearly always there: looking first would cost every ADD a system call for each claim.
  Result<> made = state.makeLink(claim.name, claim.target);
  if (made.failedWith(ENOENT)) {
    TRY(state.makeDirectories(parentOf(claim.name)));
    made = state.makeLink(claim.name, claim.target);
  }
  if (!made.failedWith(EEXIST)) return made;

  const auto owner = TRY(ownerOf(state, claim.name));
  if (owner == key) return {};
  if (owner) return netlib::fail(EADDRINUSE, claim.name + " belongs to " + described(*owner));
  TRY(state.remove(claim.name));
  return state.makeLink(claim.name, claim.target);
}

Result<> drop(const Directory& state, const ClaimLink& claim, const AttachmentKey& key) {
  if (TRY(pointeeOf(state, claim.name)) != key) return {};
  return state.remove(claim.name);
}

// Its name tells whose it is, and the kernel whether there are others: to ask for both first would cost every DEL five
// system calls for each hold.
Result<bool> dropHold(const Directory& state, const std::string& hold, const AttachmentKey& key) {
  const Result<> removed = state.remove(holdClaim(key, hold).name);
  if (!removed.ok() && !removed.failedWith(ENOENT)) return netlib::fail(removed.error());
  return removeIfEmpty(state, holdDirectory(hold));
}

Result<std::optional<AttachmentKey>> holderOf(const Directory& state, const std::string& hold,
                                              const std::optional<AttachmentKey>& except) {
  constexpr std::size_t kOwnAndOneMore = 2;  // whatever the number of holders, no more of them are looked at
  const std::string own = except ? holderName(*except) : std::string{};
  for (;;) {
    auto names = state.list(holdDirectory(hold), kOwnAndOneMore);
    if (names.failedWith(ENOENT)) return std::optional<AttachmentKey>{};
    if (!names.ok()) return netlib::fail(names.error());
    std::erase(*names, own);
    if (names->empty()) return std::optional<AttachmentKey>{};
    const std::string claim = join(holdDirectory(hold), names->front());
    if (auto owner = TRY(ownerOf(state, claim))) return owner;
    TRY(state.remove(claim));
  }
}

Result<std::vector<std::string>> namesIn(const Directory& state, const std::string& directory) {
  auto names = state.list(directory);
  // A file in a directory's place is nothing that we made, and holds nothing of ours.
  if (names.failedWith(ENOENT) || names.failedWith(ENOTDIR)) return std::vector<std::string>{};
  return names;
}

Result<bool> removeIfEmpty(const Directory& state, const std::string& directory) {
  const Result<> removed = state.removeDirectory(directory);
  if (removed.failedWith(ENOTEMPTY) || removed.failedWith(ENOTDIR)) return false;
  if (!removed.ok() && !removed.failedWith(ENOENT)) return netlib::fail(removed.error());
  return true;
}

std::string described(const AttachmentKey& key) {
  const std::string who =
      "container " + key.container.toString() + " (" + key.ifName.toString() + ") of network " + key.network.toString();
  return key.part == Part::Network ? who : who + ", plugin " + std::string{nameOf(key.part)};
}

}  // namespace pons
