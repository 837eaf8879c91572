// Ranges of addresses that a network may lease, as configured.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "netlib/base/result.h"
#include "netlib/values/ip_prefix.h"

namespace pons {

/// A part of a subnet that addresses come from. Always consistent: see make().
struct Range {
  netlib::IpPrefix subnet;
  netlib::IpAddress start;
  netlib::IpAddress end;
  std::optional<netlib::IpAddress> gateway;

  /// Fills in what is not given: all usable addresses of the subnet (never the IPv4 broadcast or the network address,
  /// except in /31, /32, /127 and /128, which have none: RFC 3021, RFC 6164), and as gateway the subnet's first usable
  /// address (none in /32 and /128).
  /// A gateway may lie outside of the subnet: a LAN's router has a link-local address for IPv6.
  /// EINVAL, with the reason, for: host bits in the subnet; a /0; loopback, multicast or unspecified subnets; start or
  /// end outside the subnet; start after end; the gateway of another family, or on the network or broadcast address.
  static netlib::Result<Range> make(const netlib::IpPrefix& subnet, std::optional<netlib::IpAddress> start,
                                    std::optional<netlib::IpAddress> end, std::optional<netlib::IpAddress> gateway);
};

/// Alternatives of one family; one address is leased from each set. See checkRangeSets.
using RangeSet = std::vector<Range>;

/// EINVAL where a set is empty or mixes families, or where two ranges (of any sets) overlap.
netlib::Result<> checkRangeSets(std::span<const RangeSet> sets);

/// True where a subnet of that length has a network address that no host may have: not in /31, /32, /127 and /128
/// (RFC 3021, RFC 6164).
bool hasNetworkAddress(const netlib::IpPrefix& subnet);
/// The same of the broadcast address, which only IPv4 has.
bool hasBroadcastAddress(const netlib::IpPrefix& subnet);

}  // namespace pons
