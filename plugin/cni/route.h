// Routes as CNI writes them, in "ipam" and in results.
#pragma once

#include <vector>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// {"dst", "gw", "mtu", "advmss", "priority", "table", "scope"}. The destination loses its host bits.
Result<Route> decodeRoute(const Field& field);

/// A list of routes, of which the kernel can hold all: no destination twice in one table with one priority.
Result<std::vector<Route>> decodeRoutes(const Field& field);

}  // namespace pons::cni
