#include "netlib/rtnl/neighbour.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

namespace netlib::neighbour {

namespace {

std::optional<MacAddress> macIn(const Message& message, unsigned linkIndex, const IpAddress& address) {
  const auto info = message.family<ndmsg>();
  if (!info || info->ndm_ifindex != static_cast<int>(linkIndex)) return std::nullopt;
  constexpr unsigned kUnresolved = NUD_INCOMPLETE | NUD_FAILED;
  if ((info->ndm_state & kUnresolved) != 0) return std::nullopt;
  const Attributes attributes = message.attributes<ndmsg>();
  const auto destination = attributes.bytes(NDA_DST);
  if (!destination || IpAddress::fromBytes(*destination) != address) return std::nullopt;
  const auto mac = attributes.structure<MacAddress::Bytes>(NDA_LLADDR);
  return mac ? std::optional{MacAddress{*mac}} : std::nullopt;
}

}  // namespace

Result<std::optional<MacAddress>> macOf(Socket& socket, unsigned linkIndex, const IpAddress& address) {
  ndmsg info{};
  info.ndm_family = static_cast<std::uint8_t>(address.family());
  Batch batch;
  batch.begin(RTM_GETNEIGH, NLM_F_DUMP | NLM_F_ACK, info, "list neighbours");
  batch.putU32(NDA_IFINDEX, linkIndex);  // filters the dump on newer kernels
  const auto answers = TRY(socket.request(batch));
  for (const Message& message : answers.front().messages) {
    if (const auto mac = macIn(message, linkIndex, address)) return mac;
  }
  return std::optional<MacAddress>{};
}

}  // namespace netlib::neighbour
