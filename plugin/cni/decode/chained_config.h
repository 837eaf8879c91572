// The keys of the plugins that come after the network's own in a chain.
#pragma once

#include "plugin/cni/decode/config.h"

namespace pons::cni {

/// What the environment's applet asks for, put into the members of `config` that are its business. Loopback has no
/// keys.
Result<> decodeChained(Config& config, const Field& root, const Environment& environment);

}  // namespace pons::cni
