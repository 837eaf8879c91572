#include "netlib/os/directory.h"

#include <array>
#include <climits>
#include <string_view>

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "netlib/os/file.h"

namespace netlib {

namespace {

constexpr mode_t kPrivateDirectory = 0700;
constexpr mode_t kPublicDirectory = 0755;
constexpr mode_t kPrivateFile = 0600;
constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// Makes the missing ones of "a", "a/b", ... up to but not including the whole path.
Result<> makeParents(int directory, const std::string& path, mode_t mode) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string parent = path.substr(0, slash);
    if (mkdirat(directory, parent.c_str(), mode) < 0 && errno != EEXIST) return failErrno("cannot make " + parent);
  }
  return {};
}

/// Without trailing slashes: with one, the kernel would follow a symlink in the last component.
Result<std::string> normalized(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const std::string_view last = std::string_view{path}.substr(path.rfind('/') + 1);
  if (!path.starts_with('/') || last.empty() || last == "." || last == "..") {
    return fail(EINVAL, "\"" + path + "\" is not the absolute path of a directory");
  }
  return path;
}

Result<> checkPrivate(int fd, const std::string& path) {
  struct stat status {};
  if (fstat(fd, &status) < 0) return failErrno("cannot examine " + path);
  if (status.st_uid != getauxval(AT_EUID)) {
    return fail(EPERM, path + " belongs to user " + std::to_string(status.st_uid) +
                           ", not to us; remove it or change its owner");
  }
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return fail(EPERM, path + " may be written by others; change its mode to 0700");
  }
  return {};
}

}  // namespace

Result<Directory> Directory::openPrivate(const std::string& path) { return openOrMake(path, kPrivateDirectory); }

Result<Directory> Directory::openShared(const std::string& path) { return openOrMake(path, kPublicDirectory); }

Result<Directory> Directory::openOrMake(const std::string& path, unsigned mode) {
  auto existing = openExisting(path);
  if (!existing.failedWith(ENOENT)) return existing;
  const std::string name = TRY(normalized(path));
  TRY(makeParents(AT_FDCWD, name, kPublicDirectory));
  // Somebody else may make it at the same time; what counts is whose it is once it is open.
  if (mkdir(name.c_str(), mode) < 0 && errno != EEXIST) return failErrno("cannot make " + name);
  return openExisting(path);
}

Result<Directory> Directory::openExisting(const std::string& path) {
  const std::string name = TRY(normalized(path));
  UniqueFd fd{::open(name.c_str(), kOpenDirectory)};
  if (!fd && (errno == ENOTDIR || errno == ELOOP)) {
    return fail(EPERM, name + " is a symlink or no directory; refusing to follow it");
  }
  if (!fd) return failErrno("cannot open " + name);
  TRY(checkPrivate(fd.get(), name));
  return Directory{std::move(fd), name};
}

Failure<Error> Directory::failAt(const std::string& what, const std::string& name) const {
  return failErrno("cannot " + what + " " + path_ + "/" + name);
}

Result<UniqueFd> Directory::openFile(const std::string& name, int flags) const {
  UniqueFd fd{openat(fd_.get(), name.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, kPrivateFile)};
  if (!fd) return failAt("open", name);
  return fd;
}

Result<std::string> Directory::readFile(const std::string& name, std::size_t limit) const {
  const UniqueFd file = TRY(openFile(name, O_RDONLY));
  return readAll(file.get(), limit, path_ + "/" + name);
}

Result<> Directory::writeDraft(const std::string& draft, const std::string& content) const {
  const UniqueFd file = TRY(openFile(draft, O_WRONLY | O_CREAT | O_TRUNC));
  auto written = writeAtOnce(file.get(), content, 0, path_ + "/" + draft);
  if (!written) static_cast<void>(remove(draft));  // the reason that matters is the first one
  return written;
}

Result<> Directory::createFile(const std::string& name, const std::string& content) const {
  // Written beside its place and then linked: who finds the name finds all of the content.
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
  if (renameat(fd_.get(), draft.c_str(), fd_.get(), name.c_str()) == 0) return {};
  const Result<> failed = failAt("replace", name);
  static_cast<void>(remove(draft));
  return failed;
}

Result<bool> Directory::exists(const std::string& name) const {
  struct stat status {};
  if (fstatat(fd_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0) return true;
  if (errno == ENOENT) return false;
  return failAt("examine", name);
}

Result<> Directory::makeLink(const std::string& name, const std::string& target) const {
  if (symlinkat(target.c_str(), fd_.get(), name.c_str()) < 0) return failAt("make link", name);
  return {};
}

Result<std::string> Directory::readLink(const std::string& name) const {
  std::array<char, PATH_MAX> target{};
  const ssize_t length = readlinkat(fd_.get(), name.c_str(), target.data(), target.size());
  if (length < 0) return failAt("read link", name);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<> Directory::makeDirectories(const std::string& name) const {
  const auto make = [&] { return mkdirat(fd_.get(), name.c_str(), kPrivateDirectory) == 0 || errno == EEXIST; };
  if (make()) return {};
  if (errno != ENOENT) return failAt("make", name);
  TRY(makeParents(fd_.get(), name, kPrivateDirectory));
  return make() ? Result<>{} : Result<>{failAt("make", name)};
}

Result<> Directory::remove(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), 0) < 0) return failAt("remove", name);
  return {};
}

Result<> Directory::removeDirectory(const std::string& name) const {
  if (unlinkat(fd_.get(), name.c_str(), AT_REMOVEDIR) < 0) return failAt("remove", name);
  return {};
}

Result<std::vector<std::string>> Directory::list(const std::string& name, std::size_t limit) const {
  const UniqueFd directory{openat(fd_.get(), name.c_str(), kOpenDirectory)};
  if (!directory) return failAt("open", name);
  std::vector<std::string> names;
  // readdir() would take eight times the memory and four times the system calls, and most lists hold two names.
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
    // A plain file or a symlink; EISDIR says that it is a directory.
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
  if (faccessat(fd_.get(), ".", W_OK, AT_EACCESS) < 0) return failAt("write to", ".");
  struct statfs status {};
  if (fstatfs(fd_.get(), &status) < 0) return failAt("examine the file system of", ".");
  // File systems that know no limit tell a total of 0.
  const bool outOfBlocks = status.f_blocks != 0 && status.f_bavail == 0;
  const bool outOfFiles = status.f_files != 0 && status.f_ffree == 0;
  if (outOfBlocks || outOfFiles) return fail(ENOSPC, "no space left in " + path_);
  return {};
}

Result<bool> Directory::isVolatile() const {
  struct statfs status {};
  if (fstatfs(fd_.get(), &status) < 0) return failAt("examine the file system of", ".");
  return status.f_type == TMPFS_MAGIC || status.f_type == RAMFS_MAGIC;
}

}  // namespace netlib
