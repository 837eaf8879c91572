// Addresses of network interfaces.
#pragma once

#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_prefix.h"

namespace netlib::address {

enum class DuplicateDetection : bool { Off, On };

/// IFA_PROTO of addresses that pons added (Linux 5.18; older kernels ignore it). Above the IFAPROT_* of
/// linux/if_addr.h.
inline constexpr std::uint8_t kOwnProtocol = 112;

struct InterfaceAddress {
  IpPrefix prefix;
  unsigned index;  ///< of the link
  bool own;        ///< has kOwnProtocol; false on kernels before 5.18
};

/// Adds an address without lifetime; EEXIST if the link has it. IPv4 prefixes up to /30 get a broadcast address. Off:
/// IFA_F_NODAD, an IPv6 address is usable at once instead of after 1.5 seconds.
void appendAdd(Batch& batch, unsigned index, const IpPrefix& prefix, DuplicateDetection detection);
/// EADDRNOTAVAIL if the link does not have it.
void appendRemove(Batch& batch, unsigned index, const IpPrefix& prefix);

/// All addresses of the family; those of one link if `index` is not 0. A dump.
Result<std::vector<InterfaceAddress>> list(Socket& socket, Family family, unsigned index = 0);

}  // namespace netlib::address
