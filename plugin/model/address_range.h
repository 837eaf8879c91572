// Configured ranges of addresses that a network may lease.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/ip_prefix.h"

#include "plugin/model/address_span.h"

namespace pons {

/// A range of addresses within one subnet. make() guarantees that the members are consistent.
struct Range {
  netlib::IpPrefix subnet;
  netlib::IpAddress start;
  netlib::IpAddress end;
  std::optional<netlib::IpAddress> gateway;

  AddressSpan span() const { return {start, end}; }

  /// Defaults: `start` and `end` cover all usable addresses of the subnet (without network and IPv4 broadcast address,
  /// which /31, /32, /127 and /128 do not have: RFC 3021, RFC 6164); `gateway` is the first usable address (none in /32
  /// and /128). A gateway may be outside the subnet: the router of a LAN may have only a link-local IPv6 address.
  /// Invalid, with the reason, for: host bits in the subnet; a /0; loopback, multicast or unspecified subnets; start or
  /// end outside the subnet; start after end; a gateway of a different family or on the network or broadcast address.
  static netlib::Result<Range> make(const netlib::IpPrefix& subnet, std::optional<netlib::IpAddress> start,
                                    std::optional<netlib::IpAddress> end, std::optional<netlib::IpAddress> gateway);
};

/// Ranges of one family; one address is leased from each set. See checkRangeSets().
using RangeSet = std::vector<Range>;

/// Of all ranges of the sets, in their order.
std::vector<AddressSpan> spansOf(std::span<const RangeSet> sets);

/// Invalid if a set is empty or mixes families, or if two ranges of any sets overlap.
netlib::Result<> checkRangeSets(std::span<const RangeSet> sets);

/// False for /31, /32, /127 and /128 (RFC 3021, RFC 6164).
bool hasNetworkAddress(const netlib::IpPrefix& subnet);
/// False for IPv6, /31 and /32.
bool hasBroadcastAddress(const netlib::IpPrefix& subnet);

}  // namespace pons
