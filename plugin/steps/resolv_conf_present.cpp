#include "plugin/steps/resolv_conf_present.h"

#include <algorithm>
#include <array>

#include "netlib/os/file_mount.h"
#include "netlib/os/root_directory.h"

namespace pons {

namespace file_mount = netlib::file_mount;
using netlib::FileKind;
using netlib::InnerDirectory;
using netlib::RootDirectory;
using netlib::UniqueFd;

namespace {

constexpr const char* kDirectory = "etc";
constexpr const char* kName = "resolv.conf";
constexpr const char* kPath = "etc/resolv.conf";
constexpr const char* kOriginal = ".resolv.conf.pons";     // what the image had
constexpr const char* kDraft = ".resolv.conf.pons.draft";  // always ours
constexpr std::string_view kMark = "# made by pons\n";

std::string contentOf(const ResolvConf& resolvConf) { return std::string{kMark} + resolvConf.content; }

/// What the runtime or the image has to change.
netlib::Failure<netlib::Error> unsuitable(const std::string& why) {
  return netlib::fail(EINVAL, "\"rootfs\" cannot be used: " + why);
}

/// Of an error that tells of the root, not of this moment, says so.
netlib::Failure<netlib::Error> explained(const netlib::Error& error) {
  constexpr std::array kOfRoot{EACCES, EINVAL, ELOOP, ENOENT, ENOTDIR};
  const bool ofRoot = std::ranges::find(kOfRoot, error.code) != kOfRoot.end();
  return ofRoot ? unsuitable(error.message) : netlib::fail(error);
}

/// What is gone, or was made so by the container in its own root, is nothing that a DEL could wait for: the container
/// would keep its addresses for ever. That is any error but those that tell of the host or of this moment.
netlib::Result<> unlessTheirs(const netlib::Result<>& result) {
  constexpr std::array kOurs{EAGAIN, EINTR, EIO, EMFILE, ENFILE, ENOMEM, EPERM};
  const bool ours = !result && std::ranges::find(kOurs, result.error().code) != kOurs.end();
  return ours ? result : netlib::Result<>{};
}

netlib::Result<> removeIfPresent(const InnerDirectory& etc, const std::string& name) {
  auto removed = etc.remove(name);
  return removed.failedWith(ENOENT) ? netlib::Result<>{} : removed;
}

/// By a second name, so that a container that runs already is never without the file.
netlib::Result<> keepOriginal(const InnerDirectory& etc) {
  if (TRY(etc.kindOf(kName)) == FileKind::None) return {};
  // Of an ADD before the host rebooted: the image's own is beside it, if there was one.
  if (TRY(etc.beginsWith(kName, kMark))) return {};
  auto kept = etc.link(kName, kOriginal);
  return kept.failedWith(EEXIST) ? netlib::Result<>{} : kept;
}

netlib::Result<> putOurs(const InnerDirectory& etc, const std::string& content) {
  TRY(etc.createFile(kDraft, content));
  TRY(keepOriginal(etc));
  return etc.rename(kDraft, kName);
}

netlib::Result<> putBack(const InnerDirectory& etc) {
  TRY(removeIfPresent(etc, kDraft));
  if (TRY(etc.kindOf(kOriginal)) != FileKind::None) {
    TRY(etc.rename(kOriginal, kName));
    // Two names of one file stay two: killed before it had written its own, an ADD leaves them so.
    return removeIfPresent(etc, kOriginal);
  }
  return TRY(etc.beginsWith(kName, kMark)) ? removeIfPresent(etc, kName) : netlib::Result<>{};
}

bool isFrozen(const InnerDirectory& etc) {
  return std::ranges::any_of(std::array{".", kName, kOriginal, kDraft}, [&](auto name) { return etc.isFrozen(name); });
}

netlib::Result<> restore(const RootDirectory& root) {
  const auto etc = root.directory(kDirectory);
  if (!etc) return unlessTheirs(netlib::fail(etc.error()));
  auto restored = unlessTheirs(putBack(*etc));
  return restored.failedWith(EPERM) && isFrozen(*etc) ? netlib::Result<>{} : restored;
}

netlib::Result<> unmount(const RootDirectory& root, const UniqueFd& staged) {
  const auto place = root.locate(kPath);
  if (!place) return unlessTheirs(netlib::fail(place.error()));
  return TRY(file_mount::isAt(staged, *place)) ? file_mount::remove(*place) : netlib::Result<>{};
}

}  // namespace

std::string ResolvConfPresent::name() const { return "resolv.conf in " + resolvConf_.root; }

netlib::Result<> ResolvConfPresent::apply(Host& host) const {
  const auto root = RootDirectory::open(resolvConf_.root);
  if (!root) return explained(root.error());
  const auto etc = root->directory(kDirectory);
  if (!etc) return explained(etc.error());
  // Found out by trying: a root that can be written may have a directory that cannot.
  auto written = write(*etc);
  return written.failedWith(EROFS) ? mountOver(host, *root) : written;
}

netlib::Result<> ResolvConfPresent::write(const InnerDirectory& etc) const {
  if (TRY(etc.kindOf(kName)) == FileKind::Other) {
    return unsuitable(std::string{kPath} + " is neither a file nor a symlink");
  }
  auto written = putOurs(etc, contentOf(resolvConf_));
  if (!written) static_cast<void>(putBack(etc));  // the error that matters is the first one
  const bool isMountPoint = written.failedWith(EXDEV) || written.failedWith(EBUSY);
  if (isMountPoint) return unsuitable("something is mounted over " + std::string{kPath} + " already");
  return written;
}

netlib::Result<> ResolvConfPresent::mountOver(Host& host, const RootDirectory& root) const {
  const auto place = root.locate(kPath);
  if (!place) return explained(place.error());
  const auto staged = host.ledger.stage(attachment_.key, contentOf(resolvConf_));
  const auto mounted = staged ? file_mount::put(*staged, *place) : netlib::Result<>{netlib::fail(staged.error())};
  if (mounted) return {};
  static_cast<void>(host.ledger.unstage(attachment_.key));  // the error that matters is the first one
  return explained(mounted.error());
}

netlib::Result<> ResolvConfPresent::undo(Host& host) const {
  const auto root = RootDirectory::open(resolvConf_.root);
  if (root) {
    const auto staged = TRY(host.ledger.staged(attachment_.key));
    if (staged) TRY(unmount(*root, *staged));
    TRY(restore(*root));
  } else {
    TRY(unlessTheirs(netlib::fail(root.error())));
  }
  auto unstaged = host.ledger.unstage(attachment_.key);
  if (!unstaged.failedWith(EBUSY)) return unstaged;
  return netlib::fail(EBUSY,
                      "somebody mounted over " + resolvConf_.root + "/" + kPath + ": it has to be unmounted first");
}

netlib::Result<> ResolvConfPresent::verify(Host& /*host*/) const {
  const std::string expected = contentOf(resolvConf_);
  const auto root = RootDirectory::open(resolvConf_.root);
  if (!root) return broken(root.error().message);
  const auto content = root->readFile(kPath, expected.size());
  if (content && *content == expected) return {};
  return broken(resolvConf_.root + "/" + kPath + " is not the one that pons made");
}

}  // namespace pons
