// The keys of chained plugins: portmap, firewall, bandwidth, tuning.
#pragma once

#include "plugin/cni/decode/config.h"

namespace pons::cni {

/// Sets the members of `config` that the keys of environment.applet determine. Loopback has no keys.
Result<> decodeChained(Config& config, const Field& root, const Environment& environment);

}  // namespace pons::cni
