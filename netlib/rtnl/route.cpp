#include "netlib/rtnl/route.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <linux/rtnetlink.h>

namespace netlib::route {

namespace {

rtmsg infoOf(Family family, int length) {
  rtmsg info{};
  info.rtm_family = static_cast<std::uint8_t>(family);
  info.rtm_dst_len = static_cast<std::uint8_t>(length);
  return info;
}

std::uint8_t scopeOf(const Route& route) {
  if (route.scope) return *route.scope;
  // The kernel ignores the scope of IPv6 routes.
  const bool hasGateway =
      std::ranges::any_of(route.nextHops, [](const NextHop& hop) { return hop.gateway.has_value(); });
  return hasGateway || route.destination.family() == Family::Ipv6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
}

std::uint8_t flagsOf(const NextHop& hop) { return hop.onLink ? RTNH_F_ONLINK : 0; }

std::string textOf(const Route& route) {
  std::string gateways;
  for (const NextHop& hop : route.nextHops) {
    if (hop.gateway) gateways += (gateways.empty() ? " via " : ", ") + hop.gateway->toString();
  }
  return route.destination.toString() + gateways;
}

/// Each next hop is a rtnexthop with attributes, which has no attribute header of its own: rtnetlink(7).
void putMultipath(Batch& batch, const std::vector<NextHop>& hops) {
  const auto multipath = batch.nest(RTA_MULTIPATH);
  for (const NextHop& hop : hops) {
    rtnexthop header{};
    header.rtnh_len = sizeof header;
    if (hop.gateway) header.rtnh_len += static_cast<unsigned short>(sizeof(nlattr) + hop.gateway->bytes().size());
    header.rtnh_flags = flagsOf(hop);
    header.rtnh_ifindex = static_cast<int>(hop.linkIndex);
    batch.putHeader(header);
    if (hop.gateway) batch.put(RTA_GATEWAY, hop.gateway->bytes());
  }
}

std::optional<IpAddress> gatewayIn(const Attributes& attributes) {
  const auto bytes = attributes.bytes(RTA_GATEWAY);
  return bytes ? IpAddress::fromBytes(*bytes) : std::nullopt;
}

/// Stops at the first malformed one.
std::vector<NextHop> multipathIn(std::span<const std::uint8_t> bytes) {
  std::vector<NextHop> hops;
  rtnexthop header{};
  while (bytes.size() >= sizeof header) {
    std::memcpy(&header, bytes.data(), sizeof header);
    const std::size_t length = header.rtnh_len;
    if (length < sizeof header || length > bytes.size()) break;
    const Attributes attributes{bytes.subspan(sizeof header, length - sizeof header)};
    hops.push_back({.gateway = gatewayIn(attributes), .linkIndex = static_cast<unsigned>(header.rtnh_ifindex)});
    bytes = bytes.subspan(std::min(bytes.size(), (length + 3) / 4 * 4));
  }
  return hops;
}

std::vector<NextHop> nextHopsIn(const Attributes& attributes) {
  if (const auto bytes = attributes.bytes(RTA_MULTIPATH)) return multipathIn(*bytes);
  const auto index = attributes.u32(RTA_OIF);
  return index ? std::vector{NextHop{.gateway = gatewayIn(attributes), .linkIndex = *index}} : std::vector<NextHop>{};
}

std::optional<Route> routeOf(const Message& message) {
  const auto info = message.family<rtmsg>();
  if (!info || (info->rtm_family != AF_INET && info->rtm_family != AF_INET6)) return std::nullopt;
  const Attributes attributes = message.attributes<rtmsg>();
  const Family family{info->rtm_family};
  const auto destinationBytes = attributes.bytes(RTA_DST);
  const auto destination =
      destinationBytes ? IpAddress::fromBytes(*destinationBytes) : std::optional{IpAddress::unspecified(family)};
  const auto prefix = destination ? IpPrefix::of(*destination, info->rtm_dst_len) : std::nullopt;
  if (!prefix) return std::nullopt;

  Route route{.destination = *prefix};
  // The kernel gives IPv6 routes that drop packets the link lo.
  if (info->rtm_type == RTN_UNICAST) route.nextHops = nextHopsIn(attributes);
  route.table = attributes.u32(RTA_TABLE).value_or(info->rtm_table);
  route.metric = attributes.u32(RTA_PRIORITY).value_or(0);
  route.scope = info->rtm_scope;
  const Attributes metrics = attributes.nested(RTA_METRICS);
  route.mtu = metrics.u32(RTAX_MTU).value_or(0);
  route.advmss = metrics.u32(RTAX_ADVMSS).value_or(0);
  return route;
}

Result<std::vector<Route>> dump(Socket& socket, Batch& batch) {
  const auto answers = TRY(socket.request(batch));
  std::vector<Route> routes;
  for (const Message& message : answers.front().messages) {
    if (auto route = routeOf(message)) routes.push_back(*std::move(route));
  }
  return routes;
}

/// "ip route get"; nothing without a route, or with a prohibit, unreachable or blackhole one.
Result<std::optional<Message>> getRoute(Socket& socket, const IpAddress& address) {
  Batch batch;
  batch.begin(RTM_GETROUTE, 0, infoOf(address.family(), bitsOf(address.family())),
              "get the route to " + address.toString());
  batch.put(RTA_DST, address.bytes());
  auto answers = TRY(socket.exchange(batch));
  Answer& answer = answers.front();
  if (answer.error == ENETUNREACH || answer.error == EHOSTUNREACH || answer.error == EACCES || answer.error == EINVAL) {
    return std::optional<Message>{};
  }
  if (answer.error != 0) return fail(errorOf(answer, batch.what(0)));
  if (answer.messages.empty()) return fail(Cause::Damaged, "no route in the kernel's answer");
  return std::optional{std::move(answer.messages.front())};
}

}  // namespace

bool Route::uses(unsigned linkIndex) const {
  return std::ranges::find(nextHops, linkIndex, &NextHop::linkIndex) != nextHops.end();
}

void appendAdd(Batch& batch, const Route& route) {
  const NextHop& first = route.nextHops.front();
  const bool isMultipath = route.nextHops.size() > 1;
  rtmsg info = infoOf(route.destination.family(), route.destination.length());
  info.rtm_protocol = RTPROT_BOOT;
  info.rtm_type = RTN_UNICAST;
  info.rtm_scope = scopeOf(route);
  if (!isMultipath) info.rtm_flags |= flagsOf(first);
  info.rtm_table = static_cast<std::uint8_t>(route.table <= UINT8_MAX ? route.table : RT_TABLE_UNSPEC);
  batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, info, "add route to " + textOf(route));
  batch.put(RTA_DST, route.destination.first().bytes());
  if (isMultipath) {
    putMultipath(batch, route.nextHops);
  } else {
    if (first.gateway) batch.put(RTA_GATEWAY, first.gateway->bytes());
    batch.putU32(RTA_OIF, first.linkIndex);
  }
  batch.putU32(RTA_TABLE, route.table);
  if (route.metric != 0) batch.putU32(RTA_PRIORITY, route.metric);
  if (route.mtu == 0 && route.advmss == 0) return;
  const auto metrics = batch.nest(RTA_METRICS);
  if (route.mtu != 0) batch.putU32(RTAX_MTU, route.mtu);
  if (route.advmss != 0) batch.putU32(RTAX_ADVMSS, route.advmss);
}

void appendRemoveMulticast(Batch& batch, unsigned linkIndex) {
  constexpr std::array<std::uint8_t, 16> kAll{0xff};
  rtmsg info = infoOf(Family::Ipv6, 8);
  info.rtm_table = RT_TABLE_LOCAL;
  batch.begin(RTM_DELROUTE, NLM_F_ACK, info, "remove route to ff00::/8 of link " + std::to_string(linkIndex));
  batch.put(RTA_DST, kAll);
  batch.putU32(RTA_OIF, linkIndex);
}

Result<std::vector<Route>> list(Socket& socket, Family family, unsigned linkIndex) {
  Batch batch;
  batch.begin(RTM_GETROUTE, NLM_F_DUMP | NLM_F_ACK, infoOf(family, 0), "list routes");
  if (linkIndex != 0) batch.putU32(RTA_OIF, linkIndex);
  auto routes = TRY(dump(socket, batch));
  std::erase_if(routes, [linkIndex](const Route& route) {
    return route.table == RT_TABLE_LOCAL || (linkIndex != 0 && !route.uses(linkIndex));
  });
  return routes;
}

Result<std::vector<unsigned>> defaultLinks(Socket& socket) {
  std::vector<unsigned> indexes;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    Batch batch;
    batch.begin(RTM_GETROUTE, NLM_F_DUMP | NLM_F_ACK, infoOf(family, 0), "list default routes");
    batch.putU32(RTA_TABLE, kMainTable);
    for (const Route& route : TRY(dump(socket, batch))) {
      if (route.destination.length() != 0 || route.table != kMainTable) continue;
      for (const NextHop& hop : route.nextHops) {
        if (std::ranges::find(indexes, hop.linkIndex) == indexes.end()) indexes.push_back(hop.linkIndex);
      }
    }
  }
  return indexes;
}

Result<unsigned> linkTowards(Socket& socket, const IpAddress& address) {
  const auto found = TRY(getRoute(socket, address));
  return found ? found->attributes<rtmsg>().u32(RTA_OIF).value_or(0) : 0;
}

Result<bool> isLocal(Socket& socket, const IpAddress& address) {
  const auto found = TRY(getRoute(socket, address));
  if (!found) return false;
  const std::uint8_t type = found->family<rtmsg>().value_or(rtmsg{}).rtm_type;
  return type == RTN_LOCAL || type == RTN_BROADCAST || type == RTN_ANYCAST;
}

}  // namespace netlib::route
