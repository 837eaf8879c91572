#include "netlib/filter/bound_sockets.h"

#include <algorithm>

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>

namespace netlib::bound_sockets {

namespace {

inet_diag_req_v2 requestFor(Family family, std::uint8_t protocol) {
  inet_diag_req_v2 wanted{};
  wanted.sdiag_family = static_cast<std::uint8_t>(family);
  wanted.sdiag_protocol = protocol;
  wanted.idiag_states = 1U << unsigned{protocol == IPPROTO_UDP ? TCP_CLOSE : TCP_LISTEN};
  return wanted;
}

std::optional<BoundSocket> socketIn(const Message& message) {
  const auto socket = message.family<inet_diag_msg>();
  if (!socket) return std::nullopt;
  const auto* source = reinterpret_cast<const std::uint8_t*>(socket->id.idiag_src);
  const auto address = IpAddress::fromBytes({source, socket->idiag_family == AF_INET ? 4U : 16U});
  if (!address) return std::nullopt;
  const bool isV6Only = message.attributes<inet_diag_msg>().u8(INET_DIAG_SKV6ONLY).value_or(0) != 0;
  return BoundSocket{*address, ntohs(socket->id.idiag_sport),
                     !address->isIpv4() && address->isUnspecified() && !isV6Only, socket->idiag_inode,
                     socket->idiag_uid};
}

}  // namespace

Result<std::vector<BoundSocket>> list(Socket& diagnosis, std::uint8_t protocol) {
  std::vector<BoundSocket> sockets;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    Batch batch;
    batch.begin(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP | NLM_F_ACK, requestFor(family, protocol),
                "list the sockets of IP protocol " + std::to_string(protocol));
    const auto answers = TRY(diagnosis.request(batch));
    for (const Message& message : answers.front().messages) {
      if (auto socket = socketIn(message)) sockets.push_back(*socket);
    }
  }
  return sockets;
}

Result<std::vector<std::optional<BoundSocket>>> find(Socket& diagnosis, std::span<const Endpoint> endpoints) {
  Batch batch;
  // Not answered: behind a first request that fails, Socket reads no answers, and most of these fail (ENOENT).
  batch.begin(NLMSG_NOOP, 0, inet_diag_req_v2{}, "no operation");
  for (const Endpoint& endpoint : endpoints) {
    inet_diag_req_v2 wanted = requestFor(endpoint.address.family(), endpoint.protocol);
    // As both ends: udp_diag swaps them. No connected socket has its own address and port as its peer's.
    for (auto* end : {wanted.id.idiag_src, wanted.id.idiag_dst}) {
      std::ranges::copy(endpoint.address.bytes(), reinterpret_cast<std::uint8_t*>(end));
    }
    wanted.id.idiag_sport = wanted.id.idiag_dport = htons(endpoint.port);
    wanted.id.idiag_cookie[0] = wanted.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
    batch.begin(SOCK_DIAG_BY_FAMILY, NLM_F_ACK, wanted, "find the socket at port " + std::to_string(endpoint.port));
  }
  const auto answers = TRY(diagnosis.exchange(batch));
  std::vector<std::optional<BoundSocket>> found;
  for (std::size_t i = 1; i < answers.size(); ++i) {
    const bool isFound = answers[i].error == 0 && !answers[i].messages.empty();
    found.push_back(isFound ? socketIn(answers[i].messages.front()) : std::nullopt);
  }
  return found;
}

}  // namespace netlib::bound_sockets
