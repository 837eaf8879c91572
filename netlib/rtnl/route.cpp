#include "netlib/rtnl/route.h"

#include <algorithm>

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
  return route.gateway || route.destination.family() == Family::Ipv6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
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
  if (const auto bytes = attributes.bytes(RTA_GATEWAY)) route.gateway = IpAddress::fromBytes(*bytes);
  route.linkIndex = attributes.u32(RTA_OIF).value_or(0);
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

void appendAdd(Batch& batch, const Route& route) {
  rtmsg info = infoOf(route.destination.family(), route.destination.length());
  info.rtm_protocol = RTPROT_BOOT;
  info.rtm_type = RTN_UNICAST;
  info.rtm_scope = scopeOf(route);
  if (route.onLink) info.rtm_flags |= RTNH_F_ONLINK;
  info.rtm_table = static_cast<std::uint8_t>(route.table <= UINT8_MAX ? route.table : RT_TABLE_UNSPEC);
  const std::string via = route.gateway ? " via " + route.gateway->toString() : "";
  batch.begin(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, info,
              "add route to " + route.destination.toString() + via);
  batch.put(RTA_DST, route.destination.first().bytes());
  if (route.gateway) batch.put(RTA_GATEWAY, route.gateway->bytes());
  batch.putU32(RTA_OIF, route.linkIndex);
  batch.putU32(RTA_TABLE, route.table);
  if (route.metric != 0) batch.putU32(RTA_PRIORITY, route.metric);
  if (route.mtu == 0 && route.advmss == 0) return;
  const auto metrics = batch.nest(RTA_METRICS);
  if (route.mtu != 0) batch.putU32(RTAX_MTU, route.mtu);
  if (route.advmss != 0) batch.putU32(RTAX_ADVMSS, route.advmss);
}

Result<std::vector<Route>> list(Socket& socket, Family family, unsigned linkIndex) {
  Batch batch;
  batch.begin(RTM_GETROUTE, NLM_F_DUMP | NLM_F_ACK, infoOf(family, 0), "list routes");
  if (linkIndex != 0) batch.putU32(RTA_OIF, linkIndex);
  auto routes = TRY(dump(socket, batch));
  std::erase_if(routes, [linkIndex](const Route& route) {
    return route.table == RT_TABLE_LOCAL || (linkIndex != 0 && route.linkIndex != linkIndex);
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
      const bool isDefault = route.destination.length() == 0 && route.table == kMainTable && route.linkIndex != 0;
      if (isDefault && std::ranges::find(indexes, route.linkIndex) == indexes.end()) {
        indexes.push_back(route.linkIndex);
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
