// The addresses of ipam type "static": listed in the configuration or by the runtime.
#pragma once

#include <vector>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// runtimeConfig.ips if not empty, else args.cni.ips, else ipam.addresses followed by IP of CNI_ARGS, whose GATEWAY
/// applies to the addresses in the same subnet; as in the reference plugin. All in CIDR notation. InvalidConfig for
/// duplicates and for addresses that are not isUsable().
Result<std::vector<Lease>> decodeStaticLeases(const Field& config, const CniArgs& args);

}  // namespace pons::cni
