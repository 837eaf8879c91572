// Who may talk to whom, as a configuration says it.
#pragma once

#include "plugin/cni/decode/config.h"

namespace pons::cni {

/// "egressPolicy" of the runtime (runtimeConfig, args.cni) for one container, else that of the network. An empty object
/// denies everything, DNS to the nameservers of `dns` included. Nothing where the key is nowhere.
Result<std::optional<EgressPolicy>> decodeEgress(const Field& config, const Dns& dns);

}  // namespace pons::cni
