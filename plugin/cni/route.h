// Routes in "ipam" and in results.
#pragma once

#include <vector>

#include "plugin/cni/field.h"
#include "plugin/model/attachment.h"

namespace pons::cni {

/// {"dst", "gw", "mtu", "advmss", "priority", "table", "scope"}. Host bits of the destination are cleared.
Result<Route> decodeRoute(const Field& field);

/// An array of routes. Those with the same destination, table and priority are the next hops of one (ECMP):
/// InvalidConfig where two have the same gateway, or differ in mtu, advmss or scope.
Result<std::vector<Route>> decodeRoutes(const Field& field);

}  // namespace pons::cni
