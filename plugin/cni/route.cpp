#include "plugin/cni/route.h"

#include <algorithm>
#include <limits>

namespace pons::cni {

namespace {

constexpr std::uint32_t kAny = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN

/// One route in the kernel.
bool isSame(const Route& a, const Route& b) {
  return a.destination == b.destination && a.priority == b.priority &&
         a.table.value_or(kMainTable) == b.table.value_or(kMainTable);
}

/// That route has several next hops, and one set of the other attributes.
bool conflict(const Route& a, const Route& b) {
  return isSame(a, b) && (a.gateway == b.gateway || a.mtu != b.mtu || a.advmss != b.advmss || a.scope != b.scope);
}

}  // namespace

Result<Route> decodeRoute(const Field& field) {
  const Field route = TRY(field.object());
  const auto destination = TRY(route["dst"].prefix());
  if (!destination) return route["dst"].missing();
  const auto gateway = TRY(route["gw"].address());
  if (gateway && gateway->family() != destination->family()) {
    return route["gw"].invalid("an address of the same family as " + destination->toString());
  }
  Route decoded{.destination = destination->network(), .gateway = gateway};
  decoded.mtu = TRY(route["mtu"].number(0, 65535)).value_or(0);
  decoded.advmss = TRY(route["advmss"].number(0, 65535)).value_or(0);
  decoded.priority = TRY(route["priority"].number(0, kAny)).value_or(0);
  decoded.table = TRY(route["table"].number(0, kAny));
  if (const auto scope = TRY(route["scope"].number(0, 255))) decoded.scope = static_cast<std::uint8_t>(*scope);
  return decoded;
}

Result<std::vector<Route>> decodeRoutes(const Field& field) {
  std::vector<Route> routes;
  for (const Field& item : TRY(field.items())) {
    Route route = TRY(decodeRoute(item));
    if (std::ranges::any_of(routes, [&](const Route& other) { return conflict(route, other); })) {
      return item.invalid(
          "a \"gw\" of its own, and the mtu, advmss and scope of the other routes with its dst, table and priority");
    }
    routes.push_back(std::move(route));
  }
  return routes;
}

}  // namespace pons::cni
