#include "netlib/os/directory.h"

#include <array>
#include <climits>
#include <filesystem>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "netlib/os/file.h"

namespace netlib {

namespace {

constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kPublicDirectory = 0755;
constexpr mode_t kPrivateFile = 0600;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Creates the missing ones of "a", "a/b", ..., without the whole path itself.
Result<> makeParents(int directory, const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (mkdirat(directory, parent.c_str(), mode) < 0 && errno != EEXIST) return failErrno("cannot create " + parent);
  }
  return {};
}

/// Without trailing slashes: O_NOFOLLOW does not apply to "link/".
Result<std::string> normalized(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string_view last = std::string_view{path}.substr(path.rfind('/') + 1);
  if (!path.starts_with('/') || last.empty() || last == "." || last == "..") {
    return fail(Cause::Invalid, "\"" + path + "\" is not the absolute path of a directory");
  }
  return path;
}

/// ELOOP where a component is a symlink; ENOSYS before Linux 5.6.
UniqueFd openWithoutSymlinks(const std::string& name) {
  open_how how{};
  how.flags = kOpenDirectory;
  how.resolve = RESOLVE_NO_SYMLINKS;
  // glibc has no wrapper.
  return UniqueFd{static_cast<int>(syscall(SYS_openat2, AT_FDCWD, name.c_str(), &how, sizeof(how)))};
}

Result<> checkPrivate(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return failErrno("cannot examine " + path);
  if (status.st_uid != getauxval(AT_EUID)) {
    return fail(Cause::Unsafe, path + " belongs to user " + std::to_string(status.st_uid) +
                                   ", not to the user of this process; remove it or change its owner");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(Cause::Unsafe, path + " is writable by other users; change its mode to 0700");
  }
  return {};
}

}  // namespace

Result<Directory> Directory::openPrivate(const std::string& path) { return openOrCreate(path, kPrivateDirectory); }

Result<Directory> Directory::openShared(const std::string& path) { return openOrCreate(path, kPublicDirectory); }

Result<Directory> Directory::openOrCreate(const std::string& path, unsigned mode) {
  auto existing = openExisting(path);
  if (!existing.failedWith(ENOENT)) return existing;
  const std::string name = TRY(normalized(path));
  TRY(makeParents(AT_FDCWD, name, kPublicDirectory));
  // EEXIST: another process has created it in the meantime; openExisting() checks its owner.
  const bool isNew = mkdir(name.c_str(), mode) == 0;
  if (!isNew && errno != EEXIST) return failErrno("cannot create " + name);
  Directory directory = TRY(openExisting(path));
  directory.isNew_ = isNew;
  return directory;
}

Result<Directory> Directory::openExisting(const std::string& path) {
  const std::string name = TRY(normalized(path));
  UniqueFd fd = openWithoutSymlinks(name);
  const bool mayHaveSymlinks = !fd;
  if (!fd && errno != ENOENT) fd = UniqueFd{::open(name.c_str(), kOpenDirectory)};
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) {
    return fail(Cause::Unsafe, name + " is a symlink or not a directory; refusing to follow it");
  }
  if (!fd) return failErrno("cannot open " + name);
  TRY(checkPrivate(fd.get(), name));
  return Directory{std::move(fd), name, mayHaveSymlinks};
}

Result<Directory> Directory::openAsEmpty(const std::string& path) {
  auto existing = openExisting(path);
  if (!existing.failedWith(ENOENT)) return existing;
  std::string name = TRY(normalized(path));
  return Directory{UniqueFd{}, std::move(name)};
}

std::string Directory::canonicalPath() const {
  if (!mayHaveSymlinks_) return std::filesystem::path{path_}.lexically_normal().string();
  std::error_code failed;
  const auto canonical =
      exists() ? std::filesystem::canonical(path_, failed) : std::filesystem::weakly_canonical(path_, failed);
  return failed ? path_ : canonical.string();
}

Failure<Error> Directory::failAt(const std::string& what, const std::string& name) const {
  if (!exists() && errno == EBADF) errno = ENOENT;
  return failErrno("cannot " + what + " " + path_ + "/" + name);
}

Result<UniqueFd> Directory::openFile(const std::string& name, int flags) const {
  UniqueFd fd{openat(fd_.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, kPrivateFile)};
  if (!fd) return failAt("open", name);
  return fd;
}

Result<std::string> Directory::readFile(const std::string& name, std::size_t limit) const {
  const UniqueFd file = TRY(openFile(name, O_RDONLY));
  return readRegular(file.get(), limit, path_ + "/" + name);
}

Result<> Directory::writeDraft(const std::string& draft, const std::string& content) const {
  const UniqueFd file = TRY(openFile(draft, O_WRONLY | O_CREAT | O_TRUNC));
  auto written = writeAtOnce(file.get(), content, 0, path_ + "/" + draft);
  if (!written) static_cast<void>(remove(draft));  // report the first error
  return written;
}

Result<> Directory::createFile(const std::string& name, const std::string& content) const {
  // Written under another name, then linked: a reader never sees a part of the content.
  const std::string draft = draftOf(name);
  TRY(writeDraft(draft, content));
  const bool placed = linkat(fd_.get(), draft.c_str(), fd_.get(), name.c_str(), 0) == 0;
  const int reason = errno;
  TRY(remove(draft));
  errno = reason;
  if (!placed) return failAt("create", name);
  return {};
}

Result<> Directory::replaceFile(const std::string& name, const std::string& content) const {
  const std::string draft = draftOf(name);
  TRY(writeDraft(draft, content));
  const Result<> renamed = rename(draft, name);
  if (!renamed) static_cast<void>(remove(draft));
  return renamed;
}

Result<> Directory::rename(const std::string& from, const std::string& to) const {
  if (renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) == 0) return {};
  return failAt("replace", to);
}

Result<bool> Directory::exists(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT || !exists()) return false;
  return failAt("examine", name);
}

Result<std::optional<std::size_t>> Directory::countDirectories(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return failAt("examine", name);
  constexpr std::size_t kItself = 2;  // its name, and its own "."
  if (status.st_nlink < kItself) return std::optional<std::size_t>{};
  return std::optional{status.st_nlink - kItself};
}

Result<timespec> Directory::modificationTime(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) < 0) return failAt("examine", name);
  return status.st_mtim;
}

Result<> Directory::setModificationTime(const std::string& name, const timespec& time) const {
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, time};
  if (utimensat(fd_.get(), name.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) < 0) return failAt("set the time of", name);
  return {};
}

Result<> Directory::createSymlink(const std::string& name, const std::string& target) const {
  if (symlinkat(target.c_str(), fd_.get(), name.c_str()) < 0) return failAt("create link", name);
  return {};
}

Result<std::string> Directory::readSymlink(const std::string& name) const {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
  if (length < 0) return failAt("read link", name);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<> Directory::createDirectories(const std::string& name) const {
  const auto make = [&] { return mkdirat(fd_.get(), name.c_str(), kPrivateDirectory) == 0 || errno == EEXIST; };
  if (make()) return {};
  if (errno != ENOENT) return failAt("create", name);
  TRY(makeParents(fd_.get(), name, kPrivateDirectory));
  return make() ? Result<>{} : Result<>{failAt("create", name)};
}

Result<> Directory::remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) < 0) return failAt("remove", name);
  return {};
}

Result<> Directory::removeDirectory(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) < 0) return failAt("remove", name);
  return {};
}

Result<> Directory::removeSelf() const {
  if (rmdir(path_.c_str()) < 0) return failErrno("cannot remove " + path_);
  return {};
}

Result<std::vector<std::string>> Directory::list(const std::string& name, std::size_t limit) const {
  const UniqueFd directory{openat(fd_.get(), name.c_str(), kOpenDirectory)};
  if (!directory) return failAt("open", name);
  std::vector<std::string> names;
  // Not readdir(3), which allocates 32 KiB and needs four times the system calls.
  alignas(dirent64) std::array<char, 4096> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled below
  for (;;) {
    const ssize_t length = getdents64(directory.get(), buffer.data(), buffer.size());
    if (length < 0) return failAt("list", name);
    if (length == 0) return names;
    for (ssize_t at = 0; at < length;) {
      const auto* entry = reinterpret_cast<const dirent64*>(buffer.data() + at);
      at += entry->d_reclen;
      const std::string_view found = static_cast<const char*>(entry->d_name);
      if (found == "." || found == "..") continue;
      names.emplace_back(found);
      if (names.size() == limit) return names;
    }
  }
}

Result<> Directory::removeTree(const std::string& name) const {
  auto names = list(name);
  if (names.failedWith(ENOENT)) return {};
  if (names.failedWith(ENOTDIR)) return remove(name);
  if (!names.ok()) return fail(names.error());
  for (const std::string& inside : *names) {
    const std::string path = name + "/" + inside;
    // EISDIR: a directory, not a file or symlink.
    const Result<> removed = remove(path);
    if (removed.failedWith(EISDIR)) {
      TRY(removeTree(path));
    } else if (!removed.ok() && !removed.failedWith(ENOENT)) {
      return removed;
    }
  }
  return removeDirectory(name);
}

Result<> Directory::checkWritable() const {
  std::filesystem::path path{path_};
  while (!exists() && path.has_relative_path() && access(path.c_str(), F_OK) < 0) path = path.parent_path();
  const std::string name = path.string();
  if (faccessat(AT_FDCWD, name.c_str(), W_OK, AT_EACCESS) < 0) return failErrno("cannot write to " + name);
  struct statfs status {};
  if (statfs(name.c_str(), &status) < 0) return failErrno("cannot examine the file system of " + name);
  // File systems without a limit report a total of 0.
  const bool outOfBlocks = status.f_blocks != 0 && status.f_bavail == 0;
  const bool outOfFiles = status.f_files != 0 && status.f_ffree == 0;
  if (outOfBlocks || outOfFiles) return fail(Error::fromErrno("cannot write to " + name, ENOSPC));
  return {};
}

Result<bool> Directory::isVolatile() const {
  struct statfs status {};
  if (fstatfs(fd_.get(), &status) < 0) return failAt("examine the file system of", ".");
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

}  // namespace netlib
