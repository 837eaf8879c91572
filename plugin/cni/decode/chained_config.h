// The keys of chained plugins: portmap, firewall, bandwidth, tuning.
#pragma once

#include "plugin/cni/decode/config.h"

namespace pons::cni {

inline constexpr std::string_view kExpectedOnDeny = "reject or drop";

/// Sets the members of `config` that the keys of environment.applet determine. Loopback has no keys.
Result<> decodeChained(Config& config, const Field& root, const Environment& environment);

}  // namespace pons::cni
