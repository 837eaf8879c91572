// The root directory of a container, accessed from the host. The container may replace any name in it at any time:
// all access is by descriptor, and symlinks are resolved within the root (openat2(2), RESOLVE_IN_ROOT; before Linux 5.6
// component by component).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

enum class FileKind : std::uint8_t { None, Regular, Symlink, Other };

/// A directory inside such a root. Names have one component and are not followed if they are symlinks.
class InnerDirectory {
 public:
  Result<FileKind> kindOf(const std::string& name) const;
  /// Immutable or append-only (chattr(1) +i, +a); "." for the directory itself. False if statx(2) fails.
  bool isImmutable(const std::string& name) const;
  /// True for a regular file that begins with that text.
  Result<bool> beginsWith(const std::string& name, std::string_view text) const;

  /// A new file with mode 0644; replaces an existing file or symlink. EROFS. On error no file of that name remains.
  Result<> createFile(const std::string& name, const std::string& content) const;
  /// Replaces an existing file or symlink. EBUSY: a mount point.
  Result<> rename(const std::string& from, const std::string& to) const;
  /// A hard link to the file or symlink; EEXIST.
  Result<> link(const std::string& from, const std::string& to) const;
  /// ENOENT if there is none.
  Result<> remove(const std::string& name) const;

 private:
  friend class RootDirectory;
  InnerDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Failure<Error> failAt(const std::string& what, const std::string& name) const;

  UniqueFd fd_;
  std::string path_;  // for messages
};

class RootDirectory {
 public:
  /// ENOENT or ENOTDIR: not a directory. Invalid: the root directory of this process.
  static Result<RootDirectory> open(const std::string& path);

  // Names below are paths inside the root, without a leading slash. Symlinks, also absolute ones, are resolved as by a
  // process in the container. EAGAIN: 100 attempts were disturbed by renames. ENAMETOOLONG before Linux 5.6: below 64
  // directories.

  Result<InnerDirectory> directory(const std::string& name) const;
  /// An O_PATH descriptor, for mounting.
  Result<UniqueFd> locate(const std::string& name) const;
  /// Invalid: not a regular file. Damaged beyond `limit` bytes.
  Result<std::string> readFile(const std::string& name, std::size_t limit) const;

 private:
  RootDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<UniqueFd> openInside(const std::string& name, int flags) const;

  UniqueFd fd_;
  std::string path_;
};

}  // namespace netlib
