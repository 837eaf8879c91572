// The addresses of ipam type "static": named one by one, by the configuration or by the runtime.
#pragma once

#include <vector>

#include "plugin/cni/environment.h"
#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// runtimeConfig.ips where it names any, else args.cni.ips, else ipam.addresses followed by IP of CNI_ARGS, whose
/// GATEWAY goes to the addresses in whose subnet it is. Every address with its prefix length. As the reference has it.
Result<std::vector<Lease>> decodeStaticLeases(const Field& config, const CniArgs& args);

}  // namespace pons::cni
