// Converts port mappings to port forwards per address family.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/decode/port_mapping.h"

namespace pons {

/// The target is the first of `addresses` in each family. A mapping without a host address is forwarded for both
/// families, one with a host address for that family; a mapping without a target is skipped: runtimes send one per
/// family even to containers with addresses of one family.
std::vector<PortForward> forwardsFor(const std::vector<cni::PortMapping>& mappings,
                                     const std::vector<netlib::IpPrefix>& addresses);

/// For the log: the mappings that became none of the forwards, one sentence each.
std::vector<std::string> unpublishedIn(const std::vector<cni::PortMapping>& mappings,
                                       const std::vector<PortForward>& forwards);

}  // namespace pons
