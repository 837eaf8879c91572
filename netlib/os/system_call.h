// System calls of kernels after 5.4.
#pragma once

#include <cerrno>

namespace netlib {

/// True for errno after a system call that an older kernel lacks (ENOSYS), or that a sandbox's filter does not know
/// (EPERM).
inline bool isUnknownCall(int code) { return code == ENOSYS || code == EPERM; }

}  // namespace netlib
