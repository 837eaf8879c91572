// Routes.
#pragma once

#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_prefix.h"

namespace netlib::route {

inline constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN

/// A route through one link. 0 means "not set" for metric, mtu and advmss (bytes).
struct Route {
  IpPrefix destination;
  std::optional<IpAddress> gateway = std::nullopt;
  unsigned linkIndex = 0;
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;
  std::optional<std::uint8_t> scope =
      std::nullopt;  ///< RT_SCOPE_*; nothing: global with a gateway, link without, as iproute2 has it
  std::uint32_t mtu = 0;
  std::uint32_t advmss = 0;
  bool onLink = false;  ///< the gateway is taken for a neighbour whatever the link's addresses say; not read back
};

/// EEXIST where an equal one is there. ENETUNREACH where the gateway cannot be reached through the link.
void appendAdd(Batch& batch, const Route& route);

/// All routes of the family, of all tables but the local one; those through one link where its index is not 0. A dump.
Result<std::vector<Route>> list(Socket& socket, Family family, unsigned linkIndex = 0);

/// The default routes' links, of both families: their indexes without repetition. A dump of the main table.
Result<std::vector<unsigned>> defaultLinks(Socket& socket);

/// The index of the link by which packets to this address leave the host; 0 where there is no route.
Result<unsigned> linkTowards(Socket& socket, const IpAddress& address);

/// True where packets to this address end on this host: it is held by an interface, or is a broadcast address of one.
Result<bool> isLocal(Socket& socket, const IpAddress& address);

}  // namespace netlib::route
