// What a process gives up that it does not need, so that whoever takes it over finds little.
#pragma once

#include "netlib/base/result.h"

namespace netlib {

/// For good, for this process and for every program that it executes: all capabilities but those of networking, mounts,
/// files of others and namespaces of other processes; the way to new privileges (no_new_privs); and, where the kernel
/// has seccomp, the system calls that look into other processes or load code into the kernel: they fail with EPERM.
/// Costs 30 microseconds. EPERM or EINVAL where the kernel refuses; what came before stays given up.
Result<> confine();

}  // namespace netlib
