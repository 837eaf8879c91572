// conntrack entries. They outlive the NAT rules that created them, and would translate packets to a removed container,
// or to the next one with its address.
#pragma once

#include <span>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_address.h"

namespace netlib::conntrack {

/// An entry matches if all fields that are set are equal. "Original" is the direction of the first packet, before NAT;
/// the source of the reply direction is the destination after DNAT.
struct Filter {
  Family family;
  std::optional<IpAddress> originalSource = std::nullopt;
  std::optional<IpAddress> replySource = std::nullopt;

  /// Destination port before and after DNAT.
  struct Ports {
    std::uint8_t protocol;  ///< IPPROTO_*
    std::uint16_t originalDestination;
    std::uint16_t replySource;
  };
  std::optional<Ports> ports = std::nullopt;
};

/// Deletes the entries that match any of the filters, each with at least one address; success if none matches. For IPv4
/// the kernel (6.8 and later) filters, one walk of its table per filter (0.2 ms). Otherwise, and for IPv6, all entries
/// of the family are dumped first (some 10 ms).
Result<> remove(Socket& netfilter, std::span<const Filter> filters);

}  // namespace netlib::conntrack
