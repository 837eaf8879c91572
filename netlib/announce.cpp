#include "netlib/announce.h"

#include <algorithm>

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>

namespace netlib {
namespace {

constexpr MacAddress::Bytes kBroadcast = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
constexpr MacAddress::Bytes kAllNodesMac = {0x33, 0x33, 0x00, 0x00, 0x00, 0x01};
constexpr in6_addr kAllNodes = {{{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x01}}};

// RFC 4861 section 7.1.2: a receiver drops what may have passed a router.
constexpr std::uint8_t kNeverRouted = 255;

// The option that carries the hardware address; <netinet/icmp6.h> has only its first two bytes.
struct LinkLayerAddress {
  std::uint8_t type = ND_OPT_TARGET_LINKADDR;
  std::uint8_t eightBytes = 1;
  MacAddress::Bytes mac;
};

struct Advertisement {
  ip6_hdr ip;
  nd_neighbor_advert body;
  LinkLayerAddress option;
};
static_assert(sizeof(Advertisement) == 72, "goes to the wire as it is");

constexpr std::uint16_t kBodyLength = sizeof(Advertisement) - sizeof(ip6_hdr);

ether_arp arpAnnouncement(const MacAddress& mac, const IpAddress& address) {
  ether_arp arp{};
  arp.arp_hrd = htons(ARPHRD_ETHER);
  arp.arp_pro = htons(ETHERTYPE_IP);
  arp.arp_hln = ETH_ALEN;
  arp.arp_pln = sizeof arp.arp_spa;
  arp.arp_op = htons(ARPOP_REQUEST);
  std::ranges::copy(mac.bytes(), arp.arp_sha);
  std::ranges::copy(address.bytes(), arp.arp_spa);
  std::ranges::copy(address.bytes(), arp.arp_tpa);
  return arp;
}

std::uint32_t sumOf(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const std::uint8_t*>(data);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i + 1 < size; i += 2) sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  return sum;
}

// RFC 4443 section 2.3: the addresses, the length and the next header count as if they stood in front of the body.
std::uint16_t checksumOf(const Advertisement& packet) {
  std::uint32_t sum = sumOf(&packet.ip.ip6_src, sizeof packet.ip.ip6_src) +
                      sumOf(&packet.ip.ip6_dst, sizeof packet.ip.ip6_dst) + kBodyLength + IPPROTO_ICMPV6 +
                      sumOf(&packet.body, sizeof packet.body) + sumOf(&packet.option, sizeof packet.option);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

Advertisement neighbourAdvertisement(const MacAddress& mac, const IpAddress& address) {
  in6_addr target{};
  std::ranges::copy(address.bytes(), target.s6_addr);

  Advertisement packet{.ip = {}, .body = {}, .option = {.mac = mac.bytes()}};
  packet.ip.ip6_flow = htonl(6U << 28);
  packet.ip.ip6_plen = htons(kBodyLength);
  packet.ip.ip6_nxt = IPPROTO_ICMPV6;
  packet.ip.ip6_hlim = kNeverRouted;
  packet.ip.ip6_src = target;
  packet.ip.ip6_dst = kAllNodes;
  packet.body.nd_na_type = ND_NEIGHBOR_ADVERT;
  packet.body.nd_na_flags_reserved = ND_NA_FLAG_OVERRIDE;
  packet.body.nd_na_target = target;
  packet.body.nd_na_cksum = checksumOf(packet);
  return packet;
}

}  // namespace

Result<Announcer> Announcer::open(unsigned ifIndex) {
  // Protocol 0: it sends only, so nothing that arrives on the link is copied to it.
  UniqueFd socket{::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!socket) return failErrno("cannot open a packet socket");
  return Announcer{std::move(socket), ifIndex};
}

Result<> Announcer::announce(const MacAddress& mac, const IpAddress& address) const {
  const auto send = [&](const auto& packet, std::uint16_t protocol, const MacAddress::Bytes& destination) -> Result<> {
    sockaddr_ll to{};
    to.sll_family = AF_PACKET;
    to.sll_protocol = htons(protocol);
    to.sll_ifindex = static_cast<int>(ifIndex_);
    to.sll_halen = ETH_ALEN;
    std::ranges::copy(destination, to.sll_addr);
    if (sendto(socket_.get(), &packet, sizeof packet, 0, reinterpret_cast<const sockaddr*>(&to), sizeof to) < 0) {
      return failErrno("cannot announce " + address.toString() + " at " + mac.toString());
    }
    return {};
  };
  if (address.isIpv4()) return send(arpAnnouncement(mac, address), ETHERTYPE_ARP, kBroadcast);
  return send(neighbourAdvertisement(mac, address), ETHERTYPE_IPV6, kAllNodesMac);
}

}  // namespace netlib
