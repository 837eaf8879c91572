// The egress policy: the connections that a container may open.
#pragma once

#include "plugin/cni/decode/config.h"

namespace pons::cni {

/// The first "egressPolicy" of runtimeConfig, args.cni and the configuration; nothing if there is none. An empty object
/// denies everything, including DNS to the nameservers of `dns`. UnsupportedField for unknown keys.
Result<std::optional<EgressPolicy>> decodeEgress(const Field& config, const Dns& dns);

/// The same of the policy alone, without the configuration around it.
Result<EgressPolicy> decodePolicy(const Field& policy, const std::vector<netlib::IpAddress>& nameservers);

}  // namespace pons::cni
