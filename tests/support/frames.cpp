#include "tests/support/frames.h"

#include <algorithm>
#include <stdexcept>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/support/fake_host.h"

namespace support {

namespace {

std::uint16_t checksumOf(const Bytes& bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) sum += i % 2 == 0 ? std::uint32_t{bytes[i]} << 8 : bytes[i];
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

netlib::UniqueFd openAt(const std::string& netns, const std::string& interface) {
  const Inside there{netns};
  netlib::UniqueFd opened{socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL))};
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (address.sll_ifindex == 0) throw std::runtime_error("no interface " + interface + " in " + netns);
  if (bind(opened.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) < 0) {
    throw std::runtime_error("bind a packet socket");
  }
  return opened;
}

}  // namespace

Bytes operator+(Bytes first, const Bytes& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

Bytes big16(std::uint16_t number) {
  return {static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

Bytes bytesOf(const netlib::IpAddress& address) { return {address.bytes().begin(), address.bytes().end()}; }
Bytes bytesOf(const netlib::MacAddress& mac) { return {mac.bytes().begin(), mac.bytes().end()}; }

Bytes ethernet(const Hop& hop, std::uint16_t type, const Bytes& payload) {
  return bytesOf(hop.to) + bytesOf(hop.from) + big16(type) + payload;
}

Bytes ipv4(const Ends& ends, std::uint8_t protocol, const Bytes& payload, std::uint16_t fragment) {
  constexpr std::uint16_t kHeader = 20;
  const Bytes begin = Bytes{0x45, 0} + big16(static_cast<std::uint16_t>(kHeader + payload.size())) + big16(7) +
                      big16(fragment) + Bytes{64, protocol};
  const Bytes addresses = bytesOf(ends.from) + bytesOf(ends.to);
  return begin + big16(checksumOf(begin + big16(0) + addresses)) + addresses + payload;
}

Bytes ipv6(const Ends& ends, std::uint8_t protocol, const Bytes& payload) {
  return Bytes{0x60, 0, 0, 0} + big16(static_cast<std::uint16_t>(payload.size())) + Bytes{protocol, 255} +
         bytesOf(ends.from) + bytesOf(ends.to) + payload;
}

Bytes udp(const Ends& ends, std::uint16_t fromPort, std::uint16_t toPort) {
  const Bytes body{'p', 'o', 'n', 's'};
  const Bytes datagram =
      big16(fromPort) + big16(toPort) + big16(static_cast<std::uint16_t>(8 + body.size())) + big16(0) + body;
  return ends.from.isIpv4() ? ipv4(ends, IPPROTO_UDP, datagram) : ipv6(ends, IPPROTO_UDP, datagram);
}

Bytes icmp6(const Ends& ends, std::uint8_t type, const Bytes& body) {
  const Bytes pseudo = bytesOf(ends.from) + bytesOf(ends.to) + big16(0) +
                       big16(static_cast<std::uint16_t>(4 + body.size())) + Bytes{0, 0, 0, IPPROTO_ICMPV6};
  const std::uint16_t checksum = checksumOf(pseudo + Bytes{type, 0, 0, 0} + body);
  return ipv6(ends, IPPROTO_ICMPV6, Bytes{type, 0} + big16(checksum) + body);
}

Bytes arp(std::uint16_t operation, const netlib::MacAddress& fromMac, const netlib::IpAddress& from,
          const netlib::IpAddress& about) {
  return big16(1) + big16(kTypeIpv4) + Bytes{6, 4} + big16(operation) + bytesOf(fromMac) + bytesOf(from) + Bytes(6) +
         bytesOf(about);
}

RawPort::RawPort(const std::string& netns, const std::string& interface) : socket_(openAt(netns, interface)) {}

void RawPort::send(const Bytes& frame) const {
  if (::send(socket_.get(), frame.data(), frame.size(), 0) != static_cast<ssize_t>(frame.size())) {
    throw std::runtime_error("send a frame");
  }
}

std::vector<Bytes> RawPort::seenUntil(const Bytes& last) const {
  constexpr int kPatience = 2000;  // milliseconds
  std::vector<Bytes> seen;
  pollfd waiting{.fd = socket_.get(), .events = POLLIN, .revents = 0};
  while (poll(&waiting, 1, kPatience) > 0) {
    Bytes frame(2048);
    sockaddr_ll from{};
    socklen_t length = sizeof from;
    const ssize_t size =
        recvfrom(socket_.get(), frame.data(), frame.size(), 0, reinterpret_cast<sockaddr*>(&from), &length);
    if (size < 0) throw std::runtime_error("receive a frame");
    if (from.sll_pkttype == PACKET_OUTGOING) continue;
    frame.resize(static_cast<std::size_t>(size));
    seen.push_back(frame);
    if (isSame(frame, last)) return seen;
  }
  return seen;
}

bool isSame(const Bytes& arrived, const Bytes& sent) {
  const std::size_t length = std::min(arrived.size(), sent.size());
  return length >= ETH_HLEN &&
         std::equal(sent.begin(), sent.begin() + static_cast<std::ptrdiff_t>(length), arrived.begin());
}

}  // namespace support
