// The neighbour table: link-layer addresses by ARP (IPv4) and NDP (IPv6).
#pragma once

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_address.h"
#include "netlib/values/mac_address.h"

namespace netlib::neighbour {

/// The MAC address that the table has for the address on this link; nothing without an entry, and while the entry is
/// not resolved (NUD_INCOMPLETE) or could not be (NUD_FAILED). A dump.
Result<std::optional<MacAddress>> macOf(Socket& socket, unsigned linkIndex, const IpAddress& address);

}  // namespace netlib::neighbour
