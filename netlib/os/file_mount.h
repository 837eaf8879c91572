// Bind mounts of a regular file over another one, in the mount namespace of the calling thread.
#pragma once

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib::file_mount {

/// Mounts `file` over `place`, read-only, nosuid, nodev, noexec. Linux 5.12 and later, and sandboxes that have
/// mount_setattr(2), apply the options before the mount becomes visible, others just after. Invalid: `place` is not a
/// regular file. On error nothing is mounted. The mount remains after `file` is unlinked.
Result<> mount(const UniqueFd& file, const UniqueFd& place);

/// True if both are the same inode.
Result<bool> isMounted(const UniqueFd& file, const UniqueFd& place);

/// Unmounts the topmost mount at `place`; open descriptors of the file remain valid. EINVAL: not a mount point.
Result<> unmount(const UniqueFd& place);

}  // namespace netlib::file_mount
