// conntrack entries. They outlive the NAT rules that created them, and would translate packets to a removed container,
// or to the next one with its address.
#pragma once

#include <span>

#include "netlib/netlink/socket.h"
#include "netlib/values/ip_address.h"

namespace netlib::conntrack {

/// An entry matches if all fields that are set are equal, whatever its zone. "Original" is the direction of the first
/// packet, before NAT; the source of the reply direction is the destination after DNAT.
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
/// the kernel (6.8 and later) selects them, one walk of its table per filter (0.2 ms). Otherwise removeListed().
Result<> remove(Socket& netfilter, std::span<const Filter> filters);

/// The same for filters of one family, by listing these entries and deleting them one by one. Linux 5.8 and later
/// selects what it lists, one walk of its table per filter. All entries of the family are listed once instead (about
/// 1 µs each) before 5.8, and for IPv6 where the kernel compares addresses wrongly (up to 6.18 at least).
Result<> removeListed(Socket& netfilter, Family family, std::span<const Filter> filters);

}  // namespace netlib::conntrack
