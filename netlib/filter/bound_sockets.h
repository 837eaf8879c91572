// Sockets of a network namespace that are bound to a port and wait for any peer, by sock_diag(7).
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_address.h"

namespace netlib::bound_sockets {

struct BoundSocket {
  IpAddress address;  ///< unspecified: all of the family
  std::uint16_t port;
  bool isDualStack = false;  ///< at ::, and not IPV6_V6ONLY: IPv4 as well
  std::uint32_t inode = 0;   ///< of the socket, as in /proc/PID/fd
  std::uint32_t uid = 0;     ///< of its owner
};

/// The sockets in state LISTEN; of UDP, the unconnected ones. A dump for each family. ENOENT: the kernel has no
/// sock_diag module for that protocol (IPPROTO_*). `diagnosis` is of Subsystem::SocketDiagnosis.
Result<std::vector<BoundSocket>> list(Socket& diagnosis, std::uint8_t protocol);

struct Endpoint {
  std::uint8_t protocol;  ///< IPPROTO_TCP or IPPROTO_UDP: of SCTP the kernel finds associations only
  IpAddress address;
  std::uint16_t port;
};

/// Of each the socket to which the kernel would deliver a packet to that address and port; for an unspecified address
/// only one that is bound to all addresses. Nothing as well where the kernel has no such module: it does not tell. One
/// exchange, no dump. The kernel loads its module at the first use, if it has one.
Result<std::vector<std::optional<BoundSocket>>> find(Socket& diagnosis, std::span<const Endpoint> endpoints);

}  // namespace netlib::bound_sockets
