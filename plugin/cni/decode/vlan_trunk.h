// "vlanTrunk", as the reference bridge plugin reads it.
#pragma once

#include <vector>

#include "netlib/values/vlan.h"

#include "plugin/cni/field.h"

namespace pons::cni {

/// Ascending, without overlap; adjacent ranges are one.
Result<std::vector<netlib::VlanRange>> decodeVlanTrunk(const Field& trunk);

}  // namespace pons::cni
