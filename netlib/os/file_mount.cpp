#include "netlib/os/file_mount.h"

#include <string>

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

namespace netlib::file_mount {

namespace {

Result<struct stat> examine(const UniqueFd& fd) {
  struct stat status {};
  if (fstat(fd.get(), &status) < 0) return failErrno("cannot examine a file to mount");
  return status;
}

}  // namespace

Result<> mount(const UniqueFd& file, const UniqueFd& place) {
  if (!S_ISREG(TRY(examine(place)).st_mode))
    return fail(Cause::Invalid, "a file can only be mounted over a regular file");
  const UniqueFd tree{open_tree(file.get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH)};
  if (!tree) return failErrno("cannot clone the mount of a file");
  mount_attr attributes{};
  attributes.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (mount_setattr(tree.get(), "", AT_EMPTY_PATH, &attributes, sizeof(attributes)) < 0) {
    return failErrno("cannot make the mount of a file read-only");
  }
  if (move_mount(tree.get(), "", place.get(), "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0) {
    return failErrno("cannot mount a file");
  }
  return {};
}

Result<bool> isMounted(const UniqueFd& file, const UniqueFd& place) {
  const struct stat expected = TRY(examine(file));
  const struct stat found = TRY(examine(place));
  return expected.st_dev == found.st_dev && expected.st_ino == found.st_ino;
}

Result<> unmount(const UniqueFd& place) {
  // By descriptor, so that the path cannot be replaced. MNT_DETACH: the descriptor itself keeps the mount busy.
  const std::string path = "/proc/self/fd/" + std::to_string(place.get());
  if (umount2(path.c_str(), MNT_DETACH) < 0) return failErrno("cannot unmount a file");
  return {};
}

}  // namespace netlib::file_mount
