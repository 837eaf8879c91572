// A reboot removes all kernel state and a state directory on tmpfs, but not one on disk. That one contains the boot id
// (/proc/sys/kernel/random/boot_id), and its records are discarded if it differs.
#pragma once

#include "netlib/os/directory.h"

namespace pons {

/// True if the directory is not on tmpfs and does not have the current boot id.
netlib::Result<bool> isFromEarlierBoot(const netlib::Directory& state);

/// Removes all claims and records and writes the current boot id. True if there were any. The caller holds the host
/// lock.
netlib::Result<bool> resetAfterReboot(const netlib::Directory& state);

}  // namespace pons
