// Packets that show whether a host, or a program on it, can be reached, and if not, where they end. They are sent from
// the network namespace of the calling thread, one at a time: a call returns with the answer, or after the timeout.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "netlib/base/result.h"
#include "netlib/values/if_name.h"
#include "netlib/values/ip_address.h"

namespace netlib::probe {

struct Target {
  IpAddress address;
  std::uint16_t port = 0;                     ///< of connectTcp() and queryDns()
  std::optional<IfName> link = std::nullopt;  ///< packets leave through this link only; without: as routes have it
};

enum class End : std::uint8_t {
  Answered,
  NoAnswer,     ///< not within the timeout
  Refused,      ///< by the target itself: no program listens at the port
  Unreachable,  ///< an ICMP error
  NoRoute,      ///< in this namespace: nothing was sent
  NotSent,      ///< for another reason, such as a rule of this namespace's own firewall
};

struct Outcome {
  End end;
  std::chrono::microseconds time{0};             ///< from the first packet to the answer
  std::optional<IpAddress> from = std::nullopt;  ///< Unreachable: the sender of the ICMP error, where it is known
  std::string reason = {};                       ///< Unreachable, NotSent: "host unreachable"
};

// Their own errors are those of socket(2): EPERM, or EACCES, without CAP_NET_RAW.

/// ICMP or ICMPv6 echo.
Result<Outcome> echo(const Target& target, std::chrono::milliseconds timeout);
/// A TCP connection, which is closed at once.
Result<Outcome> connectTcp(const Target& target, std::chrono::milliseconds timeout);
/// A DNS query for the root's name servers, by UDP. Any DNS message with its number is an answer.
Result<Outcome> queryDns(const Target& target, std::chrono::milliseconds timeout);

}  // namespace netlib::probe
