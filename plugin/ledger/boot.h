// Kernel state dies with the boot, and a state directory on tmpfs dies with it. One on a disk does not: there the boot
// is written down, and what another boot left is void.
#pragma once

#include "netlib/os/directory.h"

namespace pons {

/// True where the directory outlives a boot and does not bear the number of this one.
netlib::Result<bool> isFromEarlierBoot(const netlib::Directory& state);

/// Empties the directory of all claims and records and marks it as this boot's. The caller holds the host lock. True
/// where there were any.
netlib::Result<bool> startAfresh(const netlib::Directory& state);

}  // namespace pons
