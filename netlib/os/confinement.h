// Least privilege: drops capabilities and installs a seccomp filter, to limit what an exploit of this process can do.
#pragma once

#include "netlib/base/result.h"

namespace netlib {

/// Irrevocable, for this process and for every program that it executes: drops all capabilities except those for
/// networking, mounts, files of other users and namespaces of other processes; sets no_new_privs; and, if the kernel
/// has seccomp, lets system calls that access other processes or load code into the kernel fail with EPERM (kKept and
/// refuseCalls() in the .cpp have the lists). Takes 30 microseconds. Errors of prctl(2), capset(2) and seccomp(2); the
/// steps before the failed one remain in effect.
Result<> confine();

}  // namespace netlib
