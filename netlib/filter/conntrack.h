// Tracked connections (flows). They outlive the rules that made them, and so would carry packets to a dead container or
// to the next tenant of its address.
#pragma once

#include <span>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_address.h"

namespace netlib::conntrack {

/// A flow matches where everything that is given is equal. "Original" is the direction of the first packet, before any
/// translation; the reply's source is the destination after it.
struct Filter {
  Family family;
  std::optional<IpAddress> originalSource = std::nullopt;
  std::optional<IpAddress> replySource = std::nullopt;

  /// Of a translated destination: the port before, and after it as the reply's source.
  struct Ports {
    std::uint8_t protocol;  ///< IPPROTO_*
    std::uint16_t originalDestination;
    std::uint16_t replySource;
  };
  std::optional<Ports> ports = std::nullopt;
};

/// Deletes the flows that match any of the filters, each of which gives at least one address. For IPv4 the kernel walks
/// its table once for each filter and deletes as it goes (0.2 ms). Kernels before 6.8 cannot, and none can for IPv6:
/// there all flows of the family are asked for first (some 10 ms).
Result<> remove(Socket& netfilter, std::span<const Filter> filters);

}  // namespace netlib::conntrack
