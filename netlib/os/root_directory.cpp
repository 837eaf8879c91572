#include "netlib/os/root_directory.h"

#include <climits>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "netlib/os/directory.h"
#include "netlib/os/file.h"
#include "netlib/os/system_call.h"

namespace netlib {

namespace {

constexpr mode_t kPublicFile = 0644;

Result<struct stat> examine(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return failErrno("cannot examine " + path);
  return status;
}

/// Opens what an O_PATH descriptor refers to.
Result<UniqueFd> reopen(const UniqueFd& found, int flags, const std::string& path) {
  UniqueFd file{::open(found.path().c_str(), flags | O_CLOEXEC)};
  if (!file) return failErrno("cannot open " + path);
  return file;
}

/// Reopens an O_PATH descriptor for reading; nothing if it is not a regular file: opening a device or a FIFO has side
/// effects.
Result<std::optional<UniqueFd>> openRegular(const UniqueFd& found, const std::string& path) {
  if (!S_ISREG(TRY(examine(found.get(), path)).st_mode)) return std::optional<UniqueFd>{};
  UniqueFd file = TRY(reopen(found, O_RDONLY, path));
  return std::optional{std::move(file)};
}

/// Removes the first component and its slash from the path.
std::string takeFirst(std::string& path) {
  const std::size_t end = path.find('/');
  std::string first = path.substr(0, end);
  path.erase(0, end == std::string::npos ? end : end + 1);
  return first;
}

/// Nothing if the O_PATH descriptor is not a symlink's.
Result<std::optional<std::string>> targetOf(const UniqueFd& fd, const std::string& path) {
  if (!S_ISLNK(TRY(examine(fd.get(), path)).st_mode)) return std::optional<std::string>{};
  std::string target(PATH_MAX, '\0');
  const ssize_t length = readlinkat(fd.get(), "", target.data(), target.size());
  if (length < 0) return failErrno("cannot read the link " + path);
  target.resize(static_cast<std::size_t>(length));
  return std::optional{std::move(target)};
}

/// What RESOLVE_IN_ROOT does, for kernels without it, as an O_PATH descriptor. ".." leads back to the directory that
/// was entered, which no rename can change.
Result<UniqueFd> walkInside(const UniqueFd& root, std::string rest, const std::string& path) {
  constexpr int kMaxSymlinks = 40;  // as in Linux
  constexpr std::size_t kMaxDepth = 64;
  const std::string what = "cannot open " + path;
  std::vector<UniqueFd> entered;
  for (int symlinks = 0; !rest.empty();) {
    const std::string name = takeFirst(rest);
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      if (!entered.empty()) entered.pop_back();
      continue;
    }
    if (entered.size() == kMaxDepth) return fail(Error::fromErrno(what, ENAMETOOLONG));
    const int here = (entered.empty() ? root : entered.back()).get();
    UniqueFd next{openat(here, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    if (!next) return failErrno(what);
    const auto target = TRY(targetOf(next, path));
    if (!target) {
      entered.push_back(std::move(next));
      continue;
    }
    if (++symlinks > kMaxSymlinks) return fail(Error::fromErrno(what, ELOOP));
    if (target->starts_with('/')) entered.clear();
    rest = *target + "/" + rest;
  }
  return entered.empty() ? reopen(root, O_PATH | O_DIRECTORY, path) : Result<UniqueFd>{std::move(entered.back())};
}

}  // namespace

Failure<Error> InnerDirectory::failAt(const std::string& what, const std::string& name) const {
  return failErrno("cannot " + what + " " + path_ + "/" + name);
}

Result<FileKind> InnerDirectory::kindOf(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) {
    if (errno == ENOENT) return FileKind::None;
    return failAt("examine", name);
  }
  if (S_ISREG(status.st_mode)) return FileKind::Regular;
  return S_ISLNK(status.st_mode) ? FileKind::Symlink : FileKind::Other;
}

bool InnerDirectory::isImmutable(const std::string& name) const {
  constexpr std::uint64_t kFrozen = STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND;
  struct statx status {};
  const bool known = statx(fd_.get(), name.c_str(), AT_SYMLINK_NOFOLLOW, 0, &status) == 0;
  return known && (status.stx_attributes & kFrozen) != 0;
}

Result<bool> InnerDirectory::beginsWith(const std::string& name, std::string_view text) const {
  const UniqueFd found{openat(fd_.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC)};
  if (!found && errno == ENOENT) return false;
  if (!found) return failAt("open", name);
  const auto file = TRY(openRegular(found, path_ + "/" + name));
  if (!file) return false;
  std::string beginning(text.size(), '\0');
  const ssize_t got = pread(file->get(), beginning.data(), beginning.size(), 0);
  if (got < 0) return failAt("read", name);
  return static_cast<std::size_t>(got) == text.size() && beginning == text;
}

Result<> InnerDirectory::createFile(const std::string& name, const std::string& content) const {
  const auto make = [&] {
    return UniqueFd{openat(fd_.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPublicFile)};
  };
  UniqueFd file = make();
  if (!file && errno == EEXIST) {
    TRY(remove(name));
    file = make();
  }
  if (!file) return failAt("create", name);

  // The umask may have reduced the mode.
  const bool isPublic = fchmod(file.get(), kPublicFile) == 0;
  Result<> written = isPublic ? writeAtOnce(file.get(), content, 0, path_ + "/" + name) : failAt("write", name);
  if (!written) static_cast<void>(remove(name));  // report the first error
  return written;
}

Result<> InnerDirectory::rename(const std::string& from, const std::string& to) const {
  if (renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) < 0) return failAt("replace", to);
  return {};
}

Result<> InnerDirectory::link(const std::string& from, const std::string& to) const {
  if (linkat(fd_.get(), from.c_str(), fd_.get(), to.c_str(), 0) < 0) return failAt("link " + from + " to", to);
  return {};
}

Result<> InnerDirectory::remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) < 0) return failAt("remove", name);
  return {};
}

Result<RootDirectory> RootDirectory::open(const std::string& path) {
  UniqueFd fd{::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!fd) return failErrno("cannot open the root directory " + path);
  const UniqueFd own{::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!own) return failErrno("cannot open the host's root directory");
  const struct stat there = TRY(examine(fd.get(), path));
  const struct stat here = TRY(examine(own.get(), "/"));
  if (there.st_dev == here.st_dev && there.st_ino == here.st_ino) {
    return fail(Cause::Invalid, path + " is the host's own root directory, not a container's");
  }
  return RootDirectory{std::move(fd), path};
}

Result<UniqueFd> RootDirectory::openInside(const std::string& name, int flags) const {
  const std::string path = path_ + "/" + name;
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: a rename or mount during the resolution of ".." (openat2(2)).
  constexpr int kTries = 100;
  for (int tries = 1;; ++tries) {
    // glibc has no wrapper.
    UniqueFd fd{static_cast<int>(syscall(SYS_openat2, fd_.get(), name.c_str(), &how, sizeof(how)))};
    if (fd) return fd;
    if (isUnknownCall(errno)) break;  // before Linux 5.6, and in some sandboxes
    if (errno != EAGAIN || tries == kTries) return failErrno("cannot open " + path);
  }
  UniqueFd found = TRY(walkInside(fd_, name, path));
  if ((flags & O_PATH) != 0) return found;
  return reopen(found, flags, path);
}

Result<InnerDirectory> RootDirectory::directory(const std::string& name) const {
  UniqueFd found = TRY(openInside(name, O_RDONLY | O_DIRECTORY));
  return InnerDirectory{std::move(found), path_ + "/" + name};
}

Result<UniqueFd> RootDirectory::locate(const std::string& name) const { return openInside(name, O_PATH); }

Result<std::string> RootDirectory::readFile(const std::string& name, std::size_t limit) const {
  const std::string path = path_ + "/" + name;
  const UniqueFd found = TRY(locate(name));
  const auto file = TRY(openRegular(found, path));
  if (!file) return fail(Cause::Invalid, path + " is not a regular file");
  return readAll(file->get(), limit, path);
}

}  // namespace netlib
