// IP routes.
#pragma once

#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_prefix.h"

namespace netlib::route {

inline constexpr std::uint32_t kMainTable = 254;  // RT_TABLE_MAIN

struct NextHop {
  std::optional<IpAddress> gateway = std::nullopt;
  unsigned linkIndex = 0;
  bool onLink = false;  ///< RTNH_F_ONLINK: the gateway need not be in a subnet of the link; not read back

  friend bool operator==(const NextHop&, const NextHop&) = default;
};

/// 0 means "not set" for metric, mtu and advmss (bytes).
struct Route {
  IpPrefix destination;
  /// Several: a multipath route (ECMP). Of a route that was read also none: blackhole, unreachable, prohibit, throw.
  std::vector<NextHop> nextHops = {};
  std::uint32_t table = kMainTable;
  std::uint32_t metric = 0;
  std::optional<std::uint8_t> scope =
      std::nullopt;  ///< RT_SCOPE_*; nothing: global with a gateway, else link, as in ip-route(8)
  std::uint32_t mtu = 0;
  std::uint32_t advmss = 0;

  /// Whether a next hop is on that link.
  bool uses(unsigned linkIndex) const;
};

/// At least one next hop. EEXIST: a route with that destination, table and metric exists. ENETUNREACH: a gateway is not
/// reachable through its link. EINVAL for several IPv4 next hops on a kernel without CONFIG_IP_ROUTE_MULTIPATH.
void appendAdd(Batch& batch, const Route& route);
/// Removes the multicast route of IPv6, ff00::/8, that the kernel gives to each link. ESRCH: the link has none.
void appendRemoveMulticast(Batch& batch, unsigned linkIndex);

/// All routes of the family in all tables except local; those that use one link if `linkIndex` is not 0. A dump.
Result<std::vector<Route>> list(Socket& socket, Family family, unsigned linkIndex = 0);

/// Indexes of the links that the default routes of both families use, without duplicates. A dump of the main table.
Result<std::vector<unsigned>> defaultLinks(Socket& socket);

/// The index of the output link for this destination; 0 without a route.
Result<unsigned> linkTowards(Socket& socket, const IpAddress& address);

/// True for an address of this host: local, broadcast or anycast route.
Result<bool> isLocal(Socket& socket, const IpAddress& address);

}  // namespace netlib::route
