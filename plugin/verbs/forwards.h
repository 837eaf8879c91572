// From a runtime's port mappings to the forwards of each family.
#pragma once

#include <vector>

#include "plugin/cni/decode/port_mapping.h"

namespace pons {

/// They lead to the first of the container's addresses in each family. A mapping without a host address serves both
/// families; one with an address serves its own.
std::vector<PortForward> forwardsFor(const std::vector<cni::PortMapping>& mappings,
                                     const std::vector<netlib::IpPrefix>& addresses);

}  // namespace pons
