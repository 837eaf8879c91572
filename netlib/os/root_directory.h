// The root directory of a container, worked on from outside. Whatever is in it is somebody else's, who may exchange any
// name at any time: so everything goes by descriptors, and no symlink leads out of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

enum class FileKind : std::uint8_t { None, Regular, Symlink, Other };

/// One directory inside such a root. Names have one component; where a symlink bears the name, it is itself meant.
class InnerDirectory {
 public:
  /// None where nothing bears the name.
  Result<FileKind> kindOf(const std::string& name) const;
  /// Whether somebody made it immutable or append-only (chattr +i, +a), so that nobody can change it; "." for the
  /// directory itself. Not where it cannot be told, or is not there.
  bool isFrozen(const std::string& name) const;
  /// Whether it is a regular file that begins with that text.
  Result<bool> beginsWith(const std::string& name, std::string_view text) const;

  /// A new file that everybody may read (0644), in place of whatever file or symlink bears the name. EROFS where
  /// nothing can be written. On error nothing of that name is left.
  Result<> createFile(const std::string& name, const std::string& content) const;
  /// In place of whatever file or symlink has the new name. EBUSY where something is mounted there.
  Result<> rename(const std::string& from, const std::string& to) const;
  /// A second name for the same file or symlink; EEXIST where the name is taken.
  Result<> link(const std::string& from, const std::string& to) const;
  /// ENOENT where there is none.
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
  /// ENOENT or ENOTDIR where there is no directory; EINVAL where it is the root of this process itself.
  static Result<RootDirectory> open(const std::string& path);

  // Names below are paths inside the root, without a leading slash. Symlinks on the way, absolute ones too, lead where
  // they would lead a program in the container. EAGAIN where somebody moves the way itself all the time.

  Result<InnerDirectory> directory(const std::string& name) const;
  /// What a program in the container would find under that name, for mounting (O_PATH).
  Result<UniqueFd> locate(const std::string& name) const;
  /// EINVAL where it is no regular file; EFBIG past `limit` bytes.
  Result<std::string> readFile(const std::string& name, std::size_t limit) const;

 private:
  RootDirectory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<UniqueFd> openInside(const std::string& name, int flags) const;

  UniqueFd fd_;
  std::string path_;
};

}  // namespace netlib
