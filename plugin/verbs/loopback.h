// The plugin "loopback": sets lo of a container up or down. It has no record and no shared state.
#pragma once

#include "plugin/cni/decode/request.h"

namespace pons {

/// ADD, DEL or CHECK. ADD returns the previous result, or without one lo and its addresses.
cni::Result<std::string> serveLoopback(const cni::Request& request);

}  // namespace pons
