// The reference plugin "loopback": lo of a container, up or down. It shares nothing and keeps nothing.
#pragma once

#include "plugin/cni/decode/request.h"

namespace pons {

/// ADD, DEL or CHECK. The answer to ADD is the previous result, or lo with its addresses where there is none.
cni::Result<std::string> serveLoopback(const cni::Request& request);

}  // namespace pons
