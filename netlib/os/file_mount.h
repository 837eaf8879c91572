// A regular file that is mounted over another one, for all who look through this mount namespace.
#pragma once

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib::file_mount {

/// Whoever opens `place` finds `file`, read-only, nosuid, nodev, noexec: from the first moment, as the mount is made
/// apart and then put there. On error nothing is mounted. EINVAL where `place` is no regular file.
/// `file` stays readable there whatever becomes of its own name.
Result<> put(const UniqueFd& file, const UniqueFd& place);

/// Whether `place` is that very file.
Result<bool> isAt(const UniqueFd& file, const UniqueFd& place);

/// Takes away the mount that `place` is the top of; who has the file open keeps it. EINVAL where it is none.
Result<> remove(const UniqueFd& place);

}  // namespace netlib::file_mount
