// A directory by its descriptor. All operations are relative to it (openat(2) and the like), so that no component of
// its path can be exchanged between check and use.
#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// A directory that only the user of this process can write to. Therefore names below it may have several components:
/// no other user can have replaced one with a symlink. No method follows a symlink in the last component.
class Directory {
 public:
  /// Opens the directory at an absolute path; creates missing components with mode 0700 (0755 above the last one).
  /// Unsafe: the directory itself is a symlink, belongs to another user, or is writable by group or others. Components
  /// above it may be symlinks (/var/run is one). Invalid: the path is not absolute or ends in "." or "..".
  static Result<Directory> openPrivate(const std::string& path);
  /// The same for a directory shared with other programs of this user: a new one has mode 0755.
  static Result<Directory> openShared(const std::string& path);
  /// The same, but does not create it: ENOENT.
  static Result<Directory> openExisting(const std::string& path);
  /// The same, but one that does not exist is opened as an empty one, in which nothing can be created (ENOENT), also
  /// when another process creates it later.
  static Result<Directory> openAsEmpty(const std::string& path);
  /// False only after openAsEmpty().
  bool exists() const { return static_cast<bool>(fd_); }
  /// True if openPrivate() or openShared() has created it in this process.
  bool isNew() const { return isNew_; }

  /// An existing file, or with O_CREAT a new one of mode 0600.
  Result<UniqueFd> openFile(const std::string& name, int flags) const;
  Result<std::string> readFile(const std::string& name, std::size_t limit) const;
  /// Creates a file with that content atomically; EEXIST if the name exists. The caller excludes concurrent writers of
  /// the same name: they would share draftOf(name), which remains if this process is killed and is then overwritten.
  Result<> createFile(const std::string& name, const std::string& content) const;
  /// The same, replacing an existing file by rename(2): readers see the old content or the new one.
  Result<> replaceFile(const std::string& name, const std::string& content) const;
  static std::string draftOf(const std::string& name) { return name + ".draft"; }
  /// Replaces `to` atomically if it exists, rename(2).
  Result<> rename(const std::string& from, const std::string& to) const;

  /// Of any type; true for a dangling symlink too.
  Result<bool> exists(const std::string& name) const;

  /// How many directories are in the one of that name: each has a hard link to it, "..". Nothing where the file system
  /// does not count them (btrfs).
  Result<std::optional<std::size_t>> countDirectories(const std::string& name) const;

  /// When the content last changed, of a directory: a name in it was made or removed. It is the current time of the
  /// kernel's clock, unless it was set.
  Result<timespec> modificationTime(const std::string& name) const;
  Result<> setModificationTime(const std::string& name, const timespec& time) const;

  /// A symlink; EEXIST if the name exists. symlink(2) is atomic: usable as a claim.
  Result<> createSymlink(const std::string& name, const std::string& target) const;
  Result<std::string> readSymlink(const std::string& name) const;

  /// Creates the directory and those above it with mode 0700; success if they exist.
  Result<> createDirectories(const std::string& name) const;

  /// ENOENT if there is none. removeDirectory: ENOTEMPTY.
  Result<> remove(const std::string& name) const;
  Result<> removeDirectory(const std::string& name) const;
  /// This directory. ENOTEMPTY.
  Result<> removeSelf() const;

  /// The names in the directory of that name ("." for this one), unsorted, without "." and ".."; at most `limit`, after
  /// which reading stops.
  Result<std::vector<std::string>> list(const std::string& name, std::size_t limit = SIZE_MAX) const;

  /// Removes the directory of that name (or file) recursively; success if there is none.
  Result<> removeTree(const std::string& name) const;

  /// EROFS, EACCES or ENOSPC if no file could be created in it, or the directory itself; creates none.
  Result<> checkWritable() const;

  /// True on a file system in memory (tmpfs, ramfs), which does not survive a reboot.
  Result<bool> isVolatile() const;

  /// For messages.
  const std::string& path() const { return path_; }
  /// One name for the directory: without symlinks, as far as the components exist.
  std::string canonicalPath() const;

 private:
  Directory(UniqueFd fd, std::string path, bool mayHaveSymlinks = true)
      : fd_(std::move(fd)), path_(std::move(path)), mayHaveSymlinks_(mayHaveSymlinks) {}
  static Result<Directory> openOrCreate(const std::string& path, unsigned mode);
  Result<> writeDraft(const std::string& draft, const std::string& content) const;
  Failure<Error> failAt(const std::string& what, const std::string& name) const;

  UniqueFd fd_;
  std::string path_;
  bool mayHaveSymlinks_;  ///< in path_
  bool isNew_ = false;
};

}  // namespace netlib
