// In a writable root a file that begins with a mark; the image's own file or symlink is kept beside it as
// etc/.resolv.conf.pons until DEL restores it. Over the one of a read-only root, a file of the ledger is bind-mounted.
#include <algorithm>
#include <array>
#include <span>

#include "netlib/os/file_mount.h"
#include "netlib/os/root_directory.h"

#include "plugin/steps/steps.h"

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
constexpr const char* kDraft = ".resolv.conf.pons.draft";  // never the image's
constexpr std::string_view kMark = "# made by pons\n";

std::string contentOf(const ResolvConf& resolvConf) { return std::string{kMark} + resolvConf.content; }

/// An error that the runtime or the image must fix.
netlib::Failure<netlib::Error> unsuitable(const std::string& why) {
  return netlib::fail(netlib::Cause::Invalid, "\"rootfs\" cannot be used: " + why);
}

bool isOneOf(const netlib::Error& error, std::span<const int> errnos) {
  return std::ranges::any_of(errnos, [&error](int code) { return error.isErrno(code); });
}

/// The same for an error that is due to the root and not to the moment.
netlib::Failure<netlib::Error> explained(const netlib::Error& error) {
  constexpr std::array kOfRoot{EACCES, EINVAL, ELOOP, ENOENT, ENOTDIR};
  const bool ofRoot = error.cause == netlib::Cause::Invalid || isOneOf(error, kOfRoot);
  return ofRoot ? unsuitable(error.message) : netlib::fail(error);
}

/// Success for an errno that the container may have caused in its own root: a DEL that failed with it would fail for
/// ever, and never free the addresses. The errnos of the host or of the moment remain.
netlib::Result<> ignoringContainers(const netlib::Result<>& result) {
  constexpr std::array kOfHost{EAGAIN, EINTR, EIO, EMFILE, ENFILE, ENOMEM, EPERM};
  const bool ours = !result && isOneOf(result.error(), kOfHost);
  return ours ? result : netlib::Result<>{};
}

netlib::Result<> removeIfPresent(const InnerDirectory& etc, const std::string& name) {
  return netlib::ignoring(ENOENT, etc.remove(name));
}

/// As a second hard link, so that a running container always has the file.
netlib::Result<> keepOriginal(const InnerDirectory& etc) {
  if (TRY(etc.kindOf(kName)) == FileKind::None) return {};
  // From an ADD before a reboot: the image's own is kept already, if it had one.
  if (TRY(etc.beginsWith(kName, kMark))) return {};
  return netlib::ignoring(EEXIST, etc.link(kName, kOriginal));
}

netlib::Result<> writeOurs(const InnerDirectory& etc, const std::string& content) {
  TRY(etc.createFile(kDraft, content));
  TRY(keepOriginal(etc));
  return etc.rename(kDraft, kName);
}

netlib::Result<> restoreOriginal(const InnerDirectory& etc) {
  TRY(removeIfPresent(etc, kDraft));
  if (TRY(etc.kindOf(kOriginal)) != FileKind::None) {
    auto renamed = etc.rename(kOriginal, kName);
    if (renamed.failedWith(ENOSPC)) {  // a root that the container has filled: the name of our file makes room
      TRY(removeIfPresent(etc, kName));
      renamed = etc.rename(kOriginal, kName);
    }
    TRY(std::move(renamed));
    // rename(2) does nothing for two links of one file, which an ADD leaves that was killed before it wrote its own.
    return removeIfPresent(etc, kOriginal);
  }
  return TRY(etc.beginsWith(kName, kMark)) ? removeIfPresent(etc, kName) : netlib::Result<>{};
}

bool isImmutable(const InnerDirectory& etc) {
  return std::ranges::any_of(std::array{".", kName, kOriginal, kDraft},
                             [&](auto name) { return etc.isImmutable(name); });
}

netlib::Result<> restore(const RootDirectory& root) {
  const auto etc = root.directory(kDirectory);
  if (!etc) return ignoringContainers(netlib::fail(etc.error()));
  auto restored = ignoringContainers(restoreOriginal(*etc));
  return restored.failedWith(EPERM) && isImmutable(*etc) ? netlib::Result<>{} : restored;
}

netlib::Result<> unmount(const RootDirectory& root, const UniqueFd& staged) {
  const auto place = root.locate(kPath);
  if (!place) return ignoringContainers(netlib::fail(place.error()));
  return TRY(file_mount::isMounted(staged, *place)) ? file_mount::unmount(*place) : netlib::Result<>{};
}

/// The ledger admits one attachment for each root.
class ResolvConfPresent final : public AttachmentStep {
 public:
  explicit ResolvConfPresent(const Attachment& attachment)
      : AttachmentStep(attachment), resolvConf_(*attachment.resolvConf) {}

  std::string name() const override { return "resolv.conf in " + resolvConf_.root; }

  netlib::Result<> apply(Host& host) const override {
    const auto root = RootDirectory::open(resolvConf_.root);
    if (!root) return explained(root.error());
    const auto etc = root->directory(kDirectory);
    if (!etc) return explained(etc.error());
    // By trying: a writable root may have a read-only /etc.
    auto written = write(*etc);
    return written.failedWith(EROFS) ? mountOver(host, *root) : written;
  }

  netlib::Result<> undo(Host& host) const override {
    const auto root = RootDirectory::open(resolvConf_.root);
    if (root) {
      const auto staged = TRY(host.ledger.staged(attachment_.key));
      if (staged) TRY(unmount(*root, *staged));
      TRY(restore(*root));
    } else {
      TRY(ignoringContainers(netlib::fail(root.error())));
    }
    auto unstaged = host.ledger.unstage(attachment_.key);
    if (!unstaged.failedWith(EBUSY)) return unstaged;
    return netlib::fail(unstaged.error().reworded("another mount is on top of " + resolvConf_.root + "/" + kPath +
                                                  ": unmount it first"));
  }

  netlib::Result<Differences> verify(Host& /*host*/) const override {
    const std::string expected = contentOf(resolvConf_);
    const auto root = RootDirectory::open(resolvConf_.root);
    if (!root) return Differences{missing("root file system " + resolvConf_.root, Remedy::RestartContainer)};
    const auto content = root->readFile(kPath, expected.size());
    if (content && *content == expected) return Differences{};
    return Differences{{.what = resolvConf_.root + "/" + kPath,
                        .expected = "the file that pons wrote",
                        .actual = content ? "another file" : std::string{kMissing}}};
  }

 private:
  netlib::Result<> write(const InnerDirectory& etc) const {
    if (TRY(etc.kindOf(kName)) == FileKind::Other) {
      return unsuitable(std::string{kPath} + " is neither a file nor a symlink");
    }
    auto written = writeOurs(etc, contentOf(resolvConf_));
    if (!written) static_cast<void>(restoreOriginal(etc));  // the first error is the one to report
    const bool isMountPoint = written.failedWith(EXDEV) || written.failedWith(EBUSY);
    if (isMountPoint) return unsuitable("another file system is mounted on " + std::string{kPath});
    return written;
  }

  netlib::Result<> mountOver(Host& host, const RootDirectory& root) const {
    const auto place = root.locate(kPath);
    if (!place) return explained(place.error());
    const auto staged = host.ledger.stage(attachment_.key, contentOf(resolvConf_));
    const auto mounted = staged ? file_mount::mount(*staged, *place) : netlib::Result<>{netlib::fail(staged.error())};
    if (mounted) return {};
    static_cast<void>(host.ledger.unstage(attachment_.key));  // the first error is the one to report
    return explained(mounted.error());
  }

  const ResolvConf& resolvConf_;
};

}  // namespace

StepPointer resolvConfPresent(const Attachment& attachment) {
  return std::make_unique<const ResolvConfPresent>(attachment);
}

}  // namespace pons
