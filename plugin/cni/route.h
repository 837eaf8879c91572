// Routes in "ipam" and in results.
#pragma once

#include <vector>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// {"dst", "gw", "mtu", "advmss", "priority", "table", "scope"}. Host bits of the destination are cleared.
Result<Route> decodeRoute(const Field& field);

/// An array of routes. InvalidConfig for two with the same destination, table and priority: the kernel refuses those.
Result<std::vector<Route>> decodeRoutes(const Field& field);

}  // namespace pons::cni
