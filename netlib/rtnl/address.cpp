#include "netlib/rtnl/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

namespace netlib::address {

namespace {

ifaddrmsg infoOf(Family family, int length, unsigned index) {
  ifaddrmsg info{};
  info.ifa_family = static_cast<std::uint8_t>(family);
  info.ifa_prefixlen = static_cast<std::uint8_t>(length);
  info.ifa_index = index;
  return info;
}

std::optional<InterfaceAddress> addressOf(const Message& message) {
  const auto info = message.family<ifaddrmsg>();
  if (!info) return std::nullopt;
  const Attributes attributes = message.attributes<ifaddrmsg>();
  // On point-to-point links IFA_ADDRESS is the peer's; elsewhere IPv6 has no IFA_LOCAL.
  auto bytes = attributes.bytes(IFA_LOCAL);
  if (!bytes) bytes = attributes.bytes(IFA_ADDRESS);
  const auto address = bytes ? IpAddress::fromBytes(*bytes) : std::nullopt;
  const auto prefix = address ? IpPrefix::of(*address, info->ifa_prefixlen) : std::nullopt;
  if (!prefix) return std::nullopt;
  return InterfaceAddress{*prefix, info->ifa_index, attributes.u8(IFA_PROTO) == kOwnProtocol};
}

}  // namespace

void appendAdd(Batch& batch, unsigned index, const IpPrefix& prefix, DuplicateDetection detection) {
  ifaddrmsg info = infoOf(prefix.family(), prefix.length(), index);
  const bool isIpv4 = prefix.family() == Family::Ipv4;
  if (!isIpv4 && detection == DuplicateDetection::Off) info.ifa_flags = IFA_F_NODAD;
  batch.begin(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, info, "add address " + prefix.toString());
  batch.put(IFA_LOCAL, prefix.address().bytes());
  batch.put(IFA_ADDRESS, prefix.address().bytes());
  constexpr int kMaxWithBroadcast = 30;
  if (isIpv4 && prefix.length() <= kMaxWithBroadcast) batch.put(IFA_BROADCAST, prefix.last().bytes());
  batch.putU8(IFA_PROTO, kOwnProtocol);
}

void appendRemove(Batch& batch, unsigned index, const IpPrefix& prefix) {
  batch.begin(RTM_DELADDR, NLM_F_ACK, infoOf(prefix.family(), prefix.length(), index),
              "remove address " + prefix.toString());
  batch.put(IFA_LOCAL, prefix.address().bytes());
}

Result<std::vector<InterfaceAddress>> list(Socket& socket, Family family, unsigned index) {
  Batch batch;
  batch.begin(RTM_GETADDR, NLM_F_DUMP | NLM_F_ACK, infoOf(family, 0, index), "list addresses");
  const auto answers = TRY(socket.request(batch));
  std::vector<InterfaceAddress> addresses;
  for (const Message& message : answers.front().messages) {
    const auto address = addressOf(message);
    if (address && (index == 0 || address->index == index)) addresses.push_back(*address);
  }
  return addresses;
}

}  // namespace netlib::address
