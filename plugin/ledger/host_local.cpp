#include "plugin/ledger/host_local.h"

#include <algorithm>

#include <fcntl.h>

namespace pons {

using netlib::Directory;
using netlib::fail;
using netlib::IpAddress;
using netlib::Result;

namespace {

constexpr std::size_t kMaxFileBytes = 4096;  // more than a container id and an interface name
constexpr std::string_view kLineBreak = "\r\n";

std::string pathOf(const std::string& dataDir, const NetworkName& network) {
  return dataDir + "/" + network.toString();
}

std::string lastName(std::size_t rangeSet) { return "last_reserved_ip." + std::to_string(rangeSet); }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

HostLocalOwner parseOwner(std::string_view content) {
  const std::string_view text = trimmed(content);
  const std::size_t end = text.find(kLineBreak);
  if (end == std::string_view::npos) return {std::string{text}, {}};
  return {std::string{text.substr(0, end)}, std::string{text.substr(end + kLineBreak.size())}};
}

std::string contentFor(const HostLocalOwner& owner) { return owner.container + std::string{kLineBreak} + owner.ifName; }

std::string described(const HostLocalOwner& owner) {
  return "container " + owner.container + (owner.ifName.empty() ? "" : " (" + owner.ifName + ")");
}

}  // namespace

HostLocalOwner ownerFrom(const AttachmentKey& key) { return {key.container.toString(), key.ifName.toString()}; }

Result<HostLocal> HostLocal::lock(const std::string& dataDir, const NetworkName& network,
                                  std::chrono::milliseconds patience) {
  Directory directory = TRY(Directory::openShared(pathOf(dataDir, network)));
  HostLocal store{std::move(directory)};
  TRY(store.takeLock(patience));
  return store;
}

Result<std::optional<HostLocal>> HostLocal::lockExisting(const std::string& dataDir, const NetworkName& network,
                                                         std::chrono::milliseconds patience) {
  auto store = TRY(peek(dataDir, network));
  if (store) TRY(store->takeLock(patience));
  return store;
}

Result<std::optional<HostLocal>> HostLocal::peek(const std::string& dataDir, const NetworkName& network) {
  auto directory = Directory::openExisting(pathOf(dataDir, network));
  if (directory.failedWith(ENOENT)) return std::optional<HostLocal>{};
  if (!directory.ok()) return fail(directory.error());
  return std::optional{HostLocal{std::move(*directory)}};
}

Result<> HostLocal::takeLock(std::chrono::milliseconds patience) {
  // O_RDONLY: host-local creates this file without write permission.
  netlib::UniqueFd file = TRY(directory_.openFile("lock", O_RDONLY | O_CREAT));
  lock_ = TRY(netlib::FileLock::acquire(std::move(file), patience, "host-local's lock " + directory_.path() + "/lock"));
  return {};
}

/// Nothing if there is no file; an owner with an empty container id if the file is empty.
Result<std::optional<HostLocalOwner>> HostLocal::read(const IpAddress& address) const {
  const auto content = directory_.readFile(address.toString(), kMaxFileBytes);
  if (content.failedWith(ENOENT)) return std::optional<HostLocalOwner>{};
  if (!content.ok()) return fail(content.error());
  return std::optional{parseOwner(*content)};
}

Result<bool> HostLocal::has(const IpAddress& address) const { return directory_.exists(address.toString()); }

Result<std::vector<IpAddress>> HostLocal::all() const {
  std::vector<IpAddress> addresses;
  for (const std::string& name : TRY(directory_.list("."))) {
    if (const auto address = IpAddress::parse(name)) addresses.push_back(*address);
  }
  return addresses;
}

Result<std::optional<std::string>> HostLocal::ownerOf(const IpAddress& address) const {
  const auto owner = read(address);
  if (!owner.ok()) return std::optional<std::string>{"an unknown owner: " + owner.error().message};
  if (!*owner || (*owner)->container.empty()) return std::optional<std::string>{};
  return std::optional{described(**owner) + " in " + directory_.path()};
}

Result<bool> HostLocal::removeStale() const {
  bool removed = false;
  for (const IpAddress& address : TRY(all())) {
    if (TRY(ownerOf(address))) continue;
    const Result<> gone = directory_.remove(address.toString());
    if (!gone.ok() && !gone.failedWith(ENOENT)) return fail(gone.error());
    removed = true;
  }
  return removed;
}

Result<bool> HostLocal::belongsTo(const HostLocalOwner& owner, const IpAddress& address) const {
  return TRY(read(address)) == owner;
}

Result<std::vector<IpAddress>> HostLocal::addressesOf(const HostLocalOwner& owner) const {
  std::vector<IpAddress> ofOwner;
  std::vector<IpAddress> ofContainer;  // written by host-local before 0.8.3, without interface
  const HostLocalOwner unnamed{owner.container, {}};
  for (const IpAddress& address : TRY(all())) {
    const auto found = read(address);
    if (!found.ok()) continue;  // unreadable: not known to belong to this owner
    if (*found == owner) ofOwner.push_back(address);
    if (*found == unnamed) ofContainer.push_back(address);
  }
  return ofOwner.empty() ? ofContainer : ofOwner;
}

Result<> HostLocal::reserve(const HostLocalOwner& owner, const IpAddress& address) const {
  const std::string name = address.toString();
  const auto before = TRY(read(address));
  if (!before) return directory_.createFile(name, contentFor(owner));
  if (*before == owner) return {};
  if (before->container.empty()) return directory_.replaceFile(name, contentFor(owner));
  return fail(netlib::Cause::InUse,
              "address " + name + " is leased to " + described(*before) + " in " + directory_.path());
}

Result<> HostLocal::reserveAll(const HostLocalOwner& owner, std::span<const Lease> leases) const {
  for (std::size_t i = 0; i < leases.size(); ++i) {
    const IpAddress& address = leases[i].address.address();
    const Result<> reserved = reserve(owner, address);
    const Result<> noted = reserved.ok() ? setLast(i, address) : reserved;
    if (noted.ok()) continue;
    // The first error is reported; DEL and GC find what cannot be removed now.
    for (const Lease& made : leases.first(i + 1)) static_cast<void>(release(owner, made.address.address()));
    return noted;
  }
  return {};
}

Result<> HostLocal::release(const HostLocalOwner& owner, const IpAddress& address) const {
  const std::string name = address.toString();
  // A process that was killed while it created the file leaves its draft.
  const Result<> undrafted = directory_.remove(Directory::draftOf(name));
  if (!undrafted.ok() && !undrafted.failedWith(ENOENT)) return undrafted;
  if (!TRY(belongsTo(owner, address))) return {};
  return netlib::ignoring(ENOENT, directory_.remove(name));
}

Result<> HostLocal::releaseAll(const HostLocalOwner& owner) const {
  for (const IpAddress& address : TRY(addressesOf(owner))) {
    const Result<> removed = directory_.remove(address.toString());
    if (!removed.ok() && !removed.failedWith(ENOENT)) return removed;
  }
  return {};
}

Result<> HostLocal::sweep(const std::function<Result<bool>(const HostLocalOwner&)>& isOrphan) const {
  TRY(removeStale());
  for (const IpAddress& address : TRY(all())) {
    const auto owner = read(address);
    if (!owner.ok() || !*owner || !TRY(isOrphan(**owner))) continue;
    const Result<> removed = directory_.remove(address.toString());
    if (!removed.ok() && !removed.failedWith(ENOENT)) return removed;
  }
  return {};
}

Result<std::optional<IpAddress>> HostLocal::lastOf(std::size_t rangeSet) const {
  const auto content = directory_.readFile(lastName(rangeSet), kMaxFileBytes);
  if (content.failedWith(ENOENT)) return std::optional<IpAddress>{};
  return IpAddress::parse(trimmed(TRY(content)));
}

Result<> HostLocal::setLast(std::size_t rangeSet, const IpAddress& address) const {
  return directory_.replaceFile(lastName(rangeSet), address.toString());
}

}  // namespace pons
