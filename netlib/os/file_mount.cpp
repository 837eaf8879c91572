#include "netlib/os/file_mount.h"

#include <string>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "netlib/os/system_call.h"

namespace netlib::file_mount {

namespace {

Result<struct stat> examine(const UniqueFd& fd) {
  struct stat status {};
  if (fstat(fd.get(), &status) < 0) return failErrno("cannot examine a file to mount");
  return status;
}

Result<> attach(const UniqueFd& tree, const UniqueFd& place) {
  constexpr unsigned kByDescriptors = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
  if (move_mount(tree.get(), "", place.get(), "", kByDescriptors) < 0) return failErrno("cannot mount a file");
  return {};
}

/// Before Linux 5.12 only a mount that has its place takes options: for a moment the file is writable there.
Result<> attachThenRestrict(const UniqueFd& tree, const UniqueFd& place) {
  TRY(attach(tree, place));
  constexpr unsigned long kOptions = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  if (::mount(nullptr, tree.path().c_str(), nullptr, kOptions, nullptr) == 0) return {};
  const Result<> failed = failErrno("cannot make the mount of a file read-only");
  static_cast<void>(unmount(tree));  // the first error is the one to report
  return failed;
}

}  // namespace

Result<> mount(const UniqueFd& file, const UniqueFd& place) {
  if (!S_ISREG(TRY(examine(place)).st_mode))
    return fail(Cause::Invalid, "a file can only be mounted over a regular file");
  const UniqueFd tree{open_tree(file.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)};
  if (!tree) return failErrno("cannot clone the mount of a file");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) == 0) return attach(tree, place);
  if (isUnknownCall(errno)) return attachThenRestrict(tree, place);
  return failErrno("cannot make the mount of a file read-only");
}

Result<bool> isMounted(const UniqueFd& file, const UniqueFd& place) {
  const struct stat expected = TRY(examine(file));
  const struct stat found = TRY(examine(place));
  return expected.st_dev == found.st_dev && expected.st_ino == found.st_ino;
}

Result<> unmount(const UniqueFd& place) {
  // MNT_DETACH: the descriptor itself keeps the mount busy.
  if (umount2(place.path().c_str(), MNT_DETACH) < 0) return failErrno("cannot unmount a file");
  return {};
}

}  // namespace netlib::file_mount
