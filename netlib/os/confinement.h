// Least privilege: drops capabilities and installs a seccomp filter, to limit what an exploit of this process can do.
#pragma once

#include "netlib/base/result.h"

namespace netlib {

/// Whether this process executes other programs.
enum class Programs : bool { None, Some };

/// Irrevocable, for this process and for every program that it executes: drops all capabilities except those for
/// networking, mounts, files of other users and namespaces of other processes (kKept in the .cpp); sets no_new_privs;
/// and, if the kernel has seccomp, allows only the system calls of netlib/os/allowed_calls.h. Another call fails with
/// EPERM, one that is newer than the list with ENOSYS, so that libc falls back on an older one. A call of another
/// architecture than this program's (32 bits: int 0x80, or a 32-bit program that is executed) kills the process; x32
/// fails with EPERM.
///
/// An executed program inherits the filter, and a filter cannot be removed. So there are two lists: with Programs::None
/// that of this program's own calls, without fork and exec; with Programs::Some in addition what any program of an
/// administrator may need (an IPAM plugin, iptables, a script). In a build with AddressSanitizer it is always the
/// latter, with ptrace(2).
///
/// Errors of prctl(2), capset(2) and seccomp(2); the steps before the failed one remain in effect.
Result<> confine(Programs programs);

}  // namespace netlib
