// Addresses of network interfaces.
#pragma once

#include <vector>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_prefix.h"

namespace netlib::address {

enum class DuplicateDetection : bool { Off, On };

/// IFA_PROTO of the addresses that are ours (Linux 5.18; older kernels ignore it). Any number above those of
/// IFAPROT_* in linux/if_addr.h; 112 is 'p'.
inline constexpr std::uint8_t kOwnProtocol = 112;

struct InterfaceAddress {
  IpPrefix prefix;
  unsigned index;  ///< of the link
  bool own;        ///< bears kOwnProtocol
};

/// Adds an address for ever; EEXIST where the link has it. IPv4 gets its broadcast address from /30 down. With
/// detection off an IPv6 address can be used at once (IFA_F_NODAD) instead of after 1.5 seconds.
void appendAdd(Batch& batch, unsigned index, const IpPrefix& prefix, DuplicateDetection detection);
/// EADDRNOTAVAIL where the link does not have it.
void appendRemove(Batch& batch, unsigned index, const IpPrefix& prefix);

/// All addresses of the family, or those of one link (index other than 0). A dump.
Result<std::vector<InterfaceAddress>> list(Socket& socket, Family family, unsigned index = 0);

}  // namespace netlib::address
