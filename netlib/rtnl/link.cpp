#include "netlib/rtnl/link.h"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlib/rtnl/link_request.h"

namespace netlib::link {

namespace {

/// IFLA_INET_CONF: an array of the link's IPv4 sysctls in the order of IPV4_DEVCONF_*, which counts from 1.
bool routeLocalnet(const Attributes& attributes) {
  const auto settings = attributes.nested(IFLA_AF_SPEC).nested(AF_INET).bytes(IFLA_INET_CONF);
  constexpr std::size_t offset = (IPV4_DEVCONF_ROUTE_LOCALNET - 1) * sizeof(std::uint32_t);
  std::uint32_t value = 0;
  if (!settings || settings->size() < offset + sizeof value) return false;
  std::memcpy(&value, settings->data() + offset, sizeof value);
  return value != 0;
}

BrNetfilter brNetfilterOf(const Attributes& bridge) {
  return {.ipv4 = bridge.u8(IFLA_BR_NF_CALL_IPTABLES).value_or(0) != 0,
          .ipv6 = bridge.u8(IFLA_BR_NF_CALL_IP6TABLES).value_or(0) != 0};
}

/// IFLA_BR_VLAN_FILTERING is always there, the default PVID only with the option.
std::optional<BridgeVlans> bridgeVlansOf(const Attributes& bridge) {
  const auto pvid = bridge.structure<std::uint16_t>(IFLA_BR_VLAN_DEFAULT_PVID);
  if (!pvid) return std::nullopt;
  return BridgeVlans{.filtering = bridge.u8(IFLA_BR_VLAN_FILTERING).value_or(0) != 0, .defaultPvid = *pvid};
}

/// Sets one of them in a request to change the link.
void putIpv4Setting(Batch& batch, std::uint16_t setting, std::uint32_t value) {
  const auto families = batch.nest(IFLA_AF_SPEC);
  const auto ipv4 = batch.nest(AF_INET);
  const auto settings = batch.nest(IFLA_INET_CONF);
  batch.putU32(setting, value);
}

Link linkOf(const Message& message) {
  const ifinfomsg info = message.family<ifinfomsg>().value_or(ifinfomsg{});
  const Attributes attributes = message.attributes<ifinfomsg>();
  const Attributes linkInfo = attributes.nested(IFLA_LINKINFO);
  const Attributes port = linkInfo.nested(IFLA_INFO_SLAVE_DATA);

  Link link;
  link.index = static_cast<unsigned>(info.ifi_index);
  link.flags = info.ifi_flags;
  link.name = attributes.text(IFLA_IFNAME).value_or("");
  link.kind = linkInfo.text(IFLA_INFO_KIND).value_or("");
  link.alias = attributes.text(IFLA_IFALIAS).value_or("");
  link.mtu = attributes.u32(IFLA_MTU).value_or(0);
  link.master = attributes.u32(IFLA_MASTER).value_or(0);
  link.peer = attributes.u32(IFLA_LINK).value_or(0);
  link.peerNetns = attributes.u32(IFLA_LINK_NETNSID);
  link.transmitQueueLength = attributes.u32(IFLA_TXQLEN).value_or(0);
  link.group = attributes.u32(IFLA_GROUP).value_or(0);
  link.hairpin = port.u8(IFLA_BRPORT_MODE).value_or(0) != 0;
  link.isolated = port.u8(IFLA_BRPORT_ISOLATED).value_or(0) != 0;
  const Attributes own = linkInfo.nested(IFLA_INFO_DATA);
  if (link.kind == "bridge") {
    link.brNetfilter = brNetfilterOf(own);
    link.bridgeVlans = bridgeVlansOf(own);
  }
  if (link.kind == "vlan") link.vlan = own.structure<std::uint16_t>(IFLA_VLAN_ID).value_or(0);
  link.routeLocalnet = routeLocalnet(attributes);
  MacAddress::Bytes mac{};
  if (const auto bytes = attributes.bytes(IFLA_ADDRESS); bytes && bytes->size() == mac.size()) {
    std::memcpy(mac.data(), bytes->data(), mac.size());
    link.mac = MacAddress{mac};
  }
  return link;
}

Result<Link> findOne(Socket& socket, Batch& batch) {
  batch.putU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return linkIn(TRY(socket.request(batch)).front());
}

template <class Keep>
Result<std::vector<Link>> dump(Socket& socket, Batch& batch, Keep keep) {
  std::vector<Link> links;
  const auto answers = TRY(socket.request(batch));
  for (const Message& message : answers.front().messages) {
    // Linux 4.20 and later filter (NETLINK_GET_STRICT_CHK), older kernels return all.
    if (Link link = linkOf(message); keep(link)) links.push_back(std::move(link));
  }
  return links;
}

}  // namespace

Result<Link> linkIn(const Answer& answer) {
  if (answer.messages.empty()) return fail(Cause::Damaged, "no link in the kernel's answer");
  return linkOf(answer.messages.front());
}

bool Link::up() const { return (flags & IFF_UP) != 0; }
bool Link::promiscuous() const { return (flags & IFF_PROMISC) != 0; }
bool Link::allMulticast() const { return (flags & IFF_ALLMULTI) != 0; }

Result<Link> find(Socket& socket, const IfName& name) {
  Batch batch;
  batch.begin(RTM_GETLINK, 0, infoOf(0), "find link " + name.toString());
  batch.putText(IFLA_IFNAME, name.toString());
  return findOne(socket, batch);
}

Result<Link> find(Socket& socket, unsigned index) {
  Batch batch;
  batch.begin(RTM_GETLINK, 0, infoOf(index), "find link with index " + std::to_string(index));
  return findOne(socket, batch);
}

Result<std::vector<Link>> portsOf(Socket& socket, unsigned bridgeIndex) {
  Batch batch;
  batch.begin(RTM_GETLINK, NLM_F_DUMP | NLM_F_ACK, infoOf(0),
              "list ports of bridge with index " + std::to_string(bridgeIndex));
  batch.putU32(IFLA_MASTER, bridgeIndex);
  return dump(socket, batch, [bridgeIndex](const Link& link) { return link.master == bridgeIndex; });
}

Result<std::vector<Link>> ofKind(Socket& socket, const std::string& kind) {
  Batch batch;
  batch.begin(RTM_GETLINK, NLM_F_DUMP | NLM_F_ACK, infoOf(0), "list links of kind " + kind);
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, kind);
  }
  return dump(socket, batch, [&kind](const Link& link) { return link.kind == kind; });
}

Result<Statistics> statisticsOf(Socket& socket, unsigned index) {
  Batch batch;
  batch.begin(RTM_GETLINK, 0, infoOf(index), "get statistics of link " + std::to_string(index));
  const auto answers = TRY(socket.request(batch));
  if (answers.front().messages.empty()) return fail(Cause::Damaged, "no link in the kernel's answer");
  const Message& message = answers.front().messages.front();
  const auto counted = message.attributes<ifinfomsg>().structure<rtnl_link_stats64>(IFLA_STATS64);
  if (!counted) return fail(Cause::Damaged, "no statistics in the kernel's answer");
  return Statistics{.receivedBytes = counted->rx_bytes,
                    .receivedPackets = counted->rx_packets,
                    .receivedDropped = counted->rx_dropped,
                    .sentBytes = counted->tx_bytes,
                    .sentPackets = counted->tx_packets,
                    .sentDropped = counted->tx_dropped};
}

Result<> remove(Socket& socket, const IfName& name) {
  Batch batch;
  batch.begin(RTM_DELLINK, NLM_F_ACK, infoOf(0), "delete link " + name.toString());
  batch.putText(IFLA_IFNAME, name.toString());
  TRY(socket.request(batch));
  return {};
}

Result<> remove(Socket& socket, unsigned index) {
  Batch batch;
  batch.begin(RTM_DELLINK, NLM_F_ACK, infoOf(index), "delete link " + std::to_string(index));
  TRY(socket.request(batch));
  return {};
}

void appendSetUp(Batch& batch, unsigned index) { appendSetFlags(batch, index, IFF_UP, IFF_UP); }

void appendSetFlags(Batch& batch, unsigned index, unsigned flags, unsigned mask) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index, flags, mask), "set flags of link " + std::to_string(index));
}

void appendSetMac(Batch& batch, unsigned index, const MacAddress& mac) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set MAC of link " + std::to_string(index));
  batch.put(IFLA_ADDRESS, mac.bytes());
}

void appendSetUpAnnouncing(Batch& batch, unsigned index) {
  appendSetUp(batch, index);
  putIpv4Setting(batch, IPV4_DEVCONF_ARP_NOTIFY, 1);
}

void appendSetRouteLocalnet(Batch& batch, unsigned index, bool on) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set route_localnet of link " + std::to_string(index));
  putIpv4Setting(batch, IPV4_DEVCONF_ROUTE_LOCALNET, on ? 1 : 0);
}

void appendSetMtu(Batch& batch, unsigned index, std::uint32_t mtu) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set MTU of link " + std::to_string(index));
  batch.putU32(IFLA_MTU, mtu);
}

void appendSetTransmitQueueLength(Batch& batch, unsigned index, std::uint32_t packets) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set transmit queue length of link " + std::to_string(index));
  batch.putU32(IFLA_TXQLEN, packets);
}

void appendSetGroup(Batch& batch, unsigned index, std::uint32_t group) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set group of link " + std::to_string(index));
  batch.putU32(IFLA_GROUP, group);
}

void appendSetMaster(Batch& batch, unsigned index, unsigned bridge) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "set master of link " + std::to_string(index));
  batch.putU32(IFLA_MASTER, bridge);
}

void appendSetPort(Batch& batch, unsigned index, PortFlags flags) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(index), "configure bridge port " + std::to_string(index));
  putPort(batch, flags);
}

void appendSetBrNetfilter(Batch& batch, unsigned bridge, BrNetfilter settings) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, infoOf(bridge),
              "set nf_call_iptables and nf_call_ip6tables of bridge " + std::to_string(bridge));
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_KIND, "bridge");
  const auto own = batch.nest(IFLA_INFO_DATA);
  batch.putU8(IFLA_BR_NF_CALL_IPTABLES, settings.ipv4 ? 1 : 0);
  batch.putU8(IFLA_BR_NF_CALL_IP6TABLES, settings.ipv6 ? 1 : 0);
}

}  // namespace netlib::link
