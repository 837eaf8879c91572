// Tells the neighbours on a link which hardware address an IP address has, so that none of them sends to a former owner
// until its cache expires.
#pragma once

#include "netlib/ip_address.h"
#include "netlib/mac_address.h"
#include "netlib/result.h"
#include "netlib/unique_fd.h"

namespace netlib {

/// A packet socket of the namespace that it was opened in: open it there, announce later from anywhere.
class Announcer {
 public:
  /// `ifIndex` counts in the calling thread's network namespace.
  static Result<Announcer> open(unsigned ifIndex);

  /// IPv4: an ARP announcement (RFC 5227 section 2.3: a request with the address as sender and target). IPv6: an
  /// unsolicited neighbour advertisement to all nodes with the override flag (RFC 4861 section 7.2.6).
  /// ENETDOWN while the interface is down.
  Result<> announce(const MacAddress& mac, const IpAddress& address) const;

 private:
  Announcer(UniqueFd socket, unsigned ifIndex) : socket_(std::move(socket)), ifIndex_(ifIndex) {}

  UniqueFd socket_;
  unsigned ifIndex_;
};

}  // namespace netlib
