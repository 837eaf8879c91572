#include "netlib/netlink/listener.h"

#include <array>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

namespace netlib {

Result<Listener> Listener::open(Group group) {
  const bool isLinks = group == Group::Links;
  UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, isLinks ? NETLINK_ROUTE : NETLINK_NETFILTER)};
  if (!fd) return failErrno("open netlink socket");
  sockaddr_nl any{};
  any.nl_family = AF_NETLINK;
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) return failErrno("bind netlink socket");
  const int number = isLinks ? static_cast<int>(RTNLGRP_LINK) : static_cast<int>(NFNLGRP_NFTABLES);
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &number, sizeof number) != 0) {
    return failErrno(isLinks ? "listen to changes of links" : "listen to changes of nf_tables");
  }
  return Listener{std::move(fd)};
}

bool Listener::drain() {
  std::array<std::uint8_t, 1> part{};
  bool any = false;
  // ENOBUFS is reported once for all that were dropped; what is queued remains readable.
  while (recv(fd_.get(), part.data(), part.size(), MSG_DONTWAIT) >= 0 || errno == ENOBUFS || errno == EINTR) any = true;
  return any;
}

}  // namespace netlib
