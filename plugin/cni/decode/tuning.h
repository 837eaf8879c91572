// The keys of the reference plugin "tuning".
#pragma once

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// "sysctl" (only net.*: others are not per network namespace; IFNAME is replaced by the interface name), "mac", "mtu",
/// "promisc", "allmulti", "txQLen". MAC of CNI_ARGS and runtimeConfig.mac override the configuration, args.cni
/// overrides both. If /etc/cni/tuning/allowlist.conf exists, each sysctl key must match one of its lines (extended
/// regular expressions, regex(7)), else InvalidConfig.
Result<Tuning> decodeTuning(const Field& root, const Environment& environment);

}  // namespace pons::cni
