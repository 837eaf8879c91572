// A reboot removes all kernel state and a state directory on tmpfs, but not one on disk. That one contains the boot id
// (/proc/sys/kernel/random/boot_id), and its records are discarded if it differs.
#pragma once

#include "netlib/os/directory.h"

namespace pons {

/// True if the directory is not on tmpfs and has the id of another boot. One without an id is new, or none of pons.
netlib::Result<bool> isFromEarlierBoot(const netlib::Directory& state);

/// Writes the current boot id, unless the directory is on tmpfs. The caller holds the host lock.
netlib::Result<> noteBoot(const netlib::Directory& state);

/// Removes all claims and records and notes the current boot. True if there were any. The caller holds the host lock.
netlib::Result<bool> resetAfterReboot(const netlib::Directory& state);

}  // namespace pons
