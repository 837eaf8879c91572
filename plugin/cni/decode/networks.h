// Lists of addresses and CIDRs that become elements of nf_tables sets.
#pragma once

#include <vector>

#include "plugin/cni/field.h"

namespace pons::cni {

/// In the order of their lengths, without those that others contain: a second deletion of the same element would fail.
Result<std::vector<netlib::IpPrefix>> decodeNetworks(const Field& list);

}  // namespace pons::cni
