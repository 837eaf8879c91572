// Tracked connections (flows). They outlive the rules that made them, and so would carry packets to a dead container or
// to the next tenant of its address.
#pragma once

#include <vector>

#include "netlib/ip_address.h"
#include "netlib/socket.h"

namespace netlib::conntrack {

/// A flow matches where everything that is given is equal. "Original" is the direction of the first packet, before any
/// translation; the reply's source is the destination after it.
struct Filter {
  Family family;
  std::optional<std::uint8_t> protocol = std::nullopt;  ///< IPPROTO_*; needed for a port
  std::optional<IpAddress> originalSource = std::nullopt;
  std::optional<std::uint16_t> originalDestinationPort = std::nullopt;
  std::optional<IpAddress> replySource = std::nullopt;
};

struct Flow {
  IpAddress originalDestination;
  IpAddress replySource;
  std::vector<std::uint8_t> originalTuple;  ///< as the kernel wrote it, to name the flow again
  std::uint32_t id;
};

/// The flows that match. A dump of the connection table that the kernel filters (Linux 5.8; older ones send all, and
/// it is filtered here).
Result<std::vector<Flow>> list(Socket& netfilter, const Filter& filter);

/// Deletes these flows; one that has ended meanwhile is fine.
Result<> remove(Socket& netfilter, Family family, const std::vector<Flow>& flows);

}  // namespace netlib::conntrack
