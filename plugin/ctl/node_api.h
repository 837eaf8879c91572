// The node's object at the Kubernetes API, by the Unix socket of a proxy ("kubectl proxy --unix-socket"): the proxy has
// TLS and the service account's token.
#pragma once

#include <string>
#include <vector>

#include "netlib/base/result.h"

namespace pons::ctl {

/// Its pod CIDRs, not validated; older clusters have one. Invalid: no valid node name. Errno of the socket; Program:
/// the API refuses, with its status line; Missing: the node has no pod CIDRs yet; Damaged: no HTTP or no JSON. Waits
/// ten seconds for each part of the answer.
netlib::Result<std::vector<std::string>> podCidrsOf(const std::string& node, const std::string& socket);

}  // namespace pons::ctl
