// Lists of addresses and CIDRs that become an interval set of nf_tables.
#pragma once

#include <vector>

#include "plugin/cni/field.h"

namespace pons::cni {

/// In the order of their lengths, without those that others contain: an interval set refuses overlaps.
Result<std::vector<netlib::IpPrefix>> decodeNetworks(const Field& list);

}  // namespace pons::cni
