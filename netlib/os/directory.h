// A directory by its descriptor. All work happens relative to it with the *at() calls, so that nobody can exchange a
// component of the path between a check and its use.
#pragma once

#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// A directory that only this process' user can write to. Therefore names below it may have several components: nobody
/// else can have made one of them a symlink. No method follows a symlink in the last component.
class Directory {
 public:
  /// Opens the directory at an absolute path, making missing components with mode 0700 (0755 for those above the last).
  /// EPERM where the directory itself is a symlink, belongs to another user than this process, or may be written by
  /// others. Components above it may be symlinks (/var/run is one). EINVAL for a path that is not absolute or ends in
  /// "." or "..".
  static Result<Directory> openPrivate(const std::string& path);
  /// The same for one that other programs of this user read and write too: a new one has mode 0755.
  static Result<Directory> openShared(const std::string& path);
  /// The same for one that is there; ENOENT where it is not.
  static Result<Directory> openExisting(const std::string& path);

  /// An existing file, or with O_CREAT a new one of mode 0600.
  Result<UniqueFd> openFile(const std::string& name, int flags) const;
  Result<std::string> readFile(const std::string& name, std::size_t limit) const;
  /// A new file with that content, as a whole or not at all; EEXIST where the name is taken. Not by two at once; one
  /// that was killed leaves a draft, which the next one takes over.
  Result<> createFile(const std::string& name, const std::string& content) const;
  /// The same in place of whatever file has that name: who reads it finds the old content or the new.
  Result<> replaceFile(const std::string& name, const std::string& content) const;
  static std::string draftOf(const std::string& name) { return name + ".draft"; }

  /// Whatever bears that name, a dangling symlink too.
  Result<bool> exists(const std::string& name) const;

  /// A symlink as a claim: EEXIST where the name is taken.
  Result<> makeLink(const std::string& name, const std::string& target) const;
  Result<std::string> readLink(const std::string& name) const;

  /// Makes the directory (0700) and those above it; what is there already is fine.
  Result<> makeDirectories(const std::string& name) const;

  /// ENOENT where there is none; callers decide whether that matters. removeDirectory: ENOTEMPTY where it is in use.
  Result<> remove(const std::string& name) const;
  Result<> removeDirectory(const std::string& name) const;

  /// The names inside the directory of that name ("." for this one), without "." and "..", in no order; no more than
  /// `limit`, which bounds the cost too.
  Result<std::vector<std::string>> list(const std::string& name, std::size_t limit = SIZE_MAX) const;

  /// Removes the directory of that name with all that is in it; one that is not there is fine.
  Result<> removeTree(const std::string& name) const;

  /// EROFS, EACCES or ENOSPC where nothing could be made in it; makes nothing.
  Result<> checkWritable() const;

  /// True where it lies in memory (tmpfs, ramfs) and ends with the boot.
  Result<bool> isVolatile() const;

  /// For messages.
  const std::string& path() const { return path_; }

 private:
  Directory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  static Result<Directory> openOrMake(const std::string& path, unsigned mode);
  Result<> writeDraft(const std::string& draft, const std::string& content) const;
  Failure<Error> failAt(const std::string& what, const std::string& name) const;

  UniqueFd fd_;
  std::string path_;
};

}  // namespace netlib
