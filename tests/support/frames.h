// Ethernet frames made by hand, and sockets that send and see them: what a container with full rights can do.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "netlib/base/unique_fd.h"
#include "netlib/values/ip_address.h"
#include "netlib/values/mac_address.h"

namespace support {

using Bytes = std::vector<std::uint8_t>;

inline constexpr std::uint16_t kTypeIpv4 = 0x0800;
inline constexpr std::uint16_t kTypeArp = 0x0806;
inline constexpr std::uint16_t kTypeVlan = 0x8100;
inline constexpr std::uint16_t kTypeIpv6 = 0x86dd;

/// Source and destination on one link.
struct Hop {
  netlib::MacAddress from;
  netlib::MacAddress to;
};
/// The same in the layer above.
struct Ends {
  netlib::IpAddress from;
  netlib::IpAddress to;
};

Bytes operator+(Bytes first, const Bytes& second);
/// In network byte order.
Bytes big16(std::uint16_t number);
Bytes bytesOf(const netlib::IpAddress& address);
Bytes bytesOf(const netlib::MacAddress& mac);

Bytes ethernet(const Hop& hop, std::uint16_t type, const Bytes& payload);
/// `fragment` as in the header: flags and offset.
Bytes ipv4(const Ends& ends, std::uint8_t protocol, const Bytes& payload, std::uint16_t fragment = 0);
/// Hop limit 255, as neighbour discovery wants it.
Bytes ipv6(const Ends& ends, std::uint8_t protocol, const Bytes& payload);
/// In IP of the family of `ends`. Without a checksum.
Bytes udp(const Ends& ends, std::uint16_t fromPort, std::uint16_t toPort);
/// A message of that type and the body behind its checksum, which is right.
Bytes icmp6(const Ends& ends, std::uint8_t type, const Bytes& body);
/// operation 1: request, 2: reply (RFC 826).
Bytes arp(std::uint16_t operation, const netlib::MacAddress& fromMac, const netlib::IpAddress& from,
          const netlib::IpAddress& about);

/// Sends and sees whole frames at an interface of that namespace.
class RawPort {
 public:
  RawPort(const std::string& netns, const std::string& interface);

  void send(const Bytes& frame) const;
  /// What arrived until `last` did, or nothing did for two seconds; frames of its own are not seen.
  std::vector<Bytes> seenUntil(const Bytes& last) const;

 private:
  netlib::UniqueFd socket_;
};

/// A frame may arrive shorter or longer than it was sent, because of padding.
bool isSame(const Bytes& arrived, const Bytes& sent);

}  // namespace support
