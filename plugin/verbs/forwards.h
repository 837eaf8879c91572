// Converts port mappings to port forwards per address family.
#pragma once

#include <vector>

#include "plugin/cni/decode/port_mapping.h"

namespace pons {

/// The target is the first of `addresses` in each family. A mapping without a host address is forwarded for both
/// families, one with a host address for that family; a mapping without a target is skipped and logged.
std::vector<PortForward> forwardsFor(const std::vector<cni::PortMapping>& mappings,
                                     const std::vector<netlib::IpPrefix>& addresses);

}  // namespace pons
