// The keys of the reference plugin "tuning".
#pragma once

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// "sysctl" (below net. alone, since others are the host's; IFNAME stands for the interface), "mac", "mtu", "promisc",
/// "allmulti", "txQLen". The configuration's own, then CNI_ARGS (MAC) and runtimeConfig.mac, and over them args.cni.
/// Where the host has /etc/cni/tuning/allowlist.conf each sysctl, as it is written, must match one of its lines:
/// extended regular expressions. InvalidConfig where one does not.
Result<Tuning> decodeTuning(const Field& root, const Environment& environment);

}  // namespace pons::cni
