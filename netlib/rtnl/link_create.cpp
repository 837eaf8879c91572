// Creation of links.
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "netlib/rtnl/link_request.h"
#include "netlib/rtnl/route.h"

namespace netlib::link {

namespace {

/// The kernel ignores the alias and the settings of a bridge port on creation, so they follow in the same datagram.
void appendAlias(Batch& batch, const IfName& name, const std::string& alias) {
  beginChange(batch, name, "set alias of link " + name.toString());
  batch.putText(IFLA_IFALIAS, alias);
}

/// The kernel's default is one queue per CPU and direction, each with an entry in sysfs: a fifth of the time to create
/// a veth with two CPUs. Only XDP and GRO of the veth use more than one.
void putOneQueue(Batch& batch) {
  batch.putU32(IFLA_NUM_TX_QUEUES, 1);
  batch.putU32(IFLA_NUM_RX_QUEUES, 1);
}

void appendVethPair(Batch& batch, const NewVeth& veth) {
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ECHO | NLM_F_ACK, infoOf(0, IFF_UP, IFF_UP),
              "create veth " + veth.hostName.toString() + " with peer " + veth.peerName.toString());
  batch.putText(IFLA_IFNAME, veth.hostName.toString());
  batch.put(IFLA_ADDRESS, veth.hostMac.bytes());
  if (veth.mtu != 0) batch.putU32(IFLA_MTU, veth.mtu);
  putOneQueue(batch);
  batch.putU32(IFLA_GROUP, veth.group);
  batch.putU32(IFLA_MASTER, veth.master);
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_KIND, "veth");
  const auto data = batch.nest(IFLA_INFO_DATA);
  const auto peer = batch.nest(VETH_INFO_PEER);
  batch.putHeader(infoOf(0));
  batch.putText(IFLA_IFNAME, veth.peerName.toString());
  batch.put(IFLA_ADDRESS, veth.peerMac.bytes());
  if (veth.mtu != 0) batch.putU32(IFLA_MTU, veth.mtu);
  putOneQueue(batch);
  batch.putU32(IFLA_NET_NS_FD, static_cast<std::uint32_t>(veth.peerNetns));
}

/// A bridge port needs no link-local address, and adding one takes 5 ms with 5,000 links. The kernel would add it when
/// the peer is up, which is later. Separate from the alias: without IPv6 the kernel refuses the whole request.
void appendNoLinkLocal(Batch& batch, const IfName& name, PortFlags port) {
  beginChange(batch, name, "disable IPv6 address generation of link " + name.toString());
  putPort(batch, port);
  const auto families = batch.nest(IFLA_AF_SPEC);
  const auto ipv6 = batch.nest(AF_INET6);
  batch.putU8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
}

/// What the kernel echoes of a new veth, but for the bridge.
CreatedVeth createdIn(const Answer& answer) {
  if (answer.messages.empty()) return {};
  const Message& echo = answer.messages.front();
  const ifinfomsg info = echo.family<ifinfomsg>().value_or(ifinfomsg{});
  return {.index = static_cast<unsigned>(info.ifi_index), .peerIndex = echo.attributes<ifinfomsg>().u32(IFLA_LINK)};
}

/// Sends a batch whose first request creates the link and whose others configure it; on error the link is removed.
/// EAFNOSUPPORT of the request with index `aboutIpv6` is ignored: no IPv6.
Result<std::vector<Answer>> createConfigured(Socket& socket, Batch& batch, const IfName& name,
                                             std::optional<std::size_t> aboutIpv6 = std::nullopt) {
  auto answers = TRY(socket.exchange(batch));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].error == 0 || (i == aboutIpv6 && answers[i].error == EAFNOSUPPORT)) continue;
    if (i > 0) static_cast<void>(remove(socket, name));
    return fail(errorOf(answers[i], batch.what(i)));
  }
  return answers;
}

/// A bridge has the smallest MTU of its ports, or the one that was set (br_mtu_auto_adjust()): one more port with the
/// same does not change it.
bool mayChangeMtu(const NewVeth& veth) {
  const std::uint32_t mtu = veth.mtu != 0 ? veth.mtu : ETH_DATA_LEN;
  return mtu != veth.masterMtu;
}

/// After the port was added, in the same datagram.
void appendFind(Batch& batch, unsigned index) {
  batch.begin(RTM_GETLINK, NLM_F_ACK, infoOf(index), "find bridge with index " + std::to_string(index));
  batch.putU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
}

}  // namespace

Result<> createBridge(Socket& socket, const NewBridge& bridge) {
  const std::string name = bridge.name.toString();
  Batch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0, IFF_UP, IFF_UP), "create bridge " + name);
  batch.putText(IFLA_IFNAME, name);
  batch.put(IFLA_ADDRESS, bridge.mac.bytes());
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, "bridge");
  }
  TRY(socket.request(batch));
  return {};
}

Result<> setAlias(Socket& socket, const IfName& name, const std::string& alias) {
  Batch batch;
  appendAlias(batch, name, alias);
  TRY(socket.request(batch));
  return {};
}

Result<> probe(Socket& socket, const std::string& kind) {
  Batch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0), "probe link type " + kind);
  // rtnl_newlink() first looks up the kind (and loads its module), then refuses the invalid name with EINVAL. The
  // address of 1 byte lets the validate() of a kind fail with EINVAL before a veth creates its peer.
  batch.putText(IFLA_IFNAME, "no/name");
  batch.putU8(IFLA_ADDRESS, 0);
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, kind);
  }
  const auto answers = TRY(socket.exchange(batch));
  if (answers.front().error == EINVAL) return {};
  return fail(errorOf(answers.front(), "kernel does not support link type " + kind));
}

Result<CreatedVeth> createVeth(Socket& socket, const NewVeth& veth) {
  Batch batch;
  appendVethPair(batch, veth);
  // The kernel executes what follows even where the name exists and the creation fails: the settings of a bridge port
  // in each request let it refuse (rtnl_changelink(): EOPNOTSUPP) to change a link that is no port.
  appendAlias(batch, veth.hostName, veth.alias);
  putPort(batch, veth.port);
  const std::size_t aboutIpv6 = batch.count();
  appendNoLinkLocal(batch, veth.hostName, veth.port);
  if (mayChangeMtu(veth)) appendFind(batch, veth.master);
  const auto answers = TRY(createConfigured(socket, batch, veth.hostName, aboutIpv6));
  CreatedVeth created = createdIn(answers.front());
  if (mayChangeMtu(veth)) created.bridge = TRY(linkIn(answers.back()));
  return created;
}

Result<> settlePort(Socket& socket, const IfName& name, std::optional<unsigned> index) {
  Batch batch;
  batch.begin(RTM_GETLINK, NLM_F_ACK, infoOf(0), "find link " + name.toString());
  batch.putText(IFLA_IFNAME, name.toString());
  batch.putU32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  if (index) route::appendRemoveMulticast(batch, *index);
  const auto answers = TRY(socket.exchange(batch));
  // That of the route is ignored: where it is missing, or without IPv6, there is nothing to remove; else it only costs
  // time.
  if (answers.front().error != 0) return fail(errorOf(answers.front(), batch.what(0)));
  return {};
}

Result<> createIfb(Socket& socket, const NewIfb& ifb) {
  Batch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0, IFF_UP, IFF_UP),
              "create ifb " + ifb.name.toString());
  batch.putText(IFLA_IFNAME, ifb.name.toString());
  if (ifb.mtu != 0) batch.putU32(IFLA_MTU, ifb.mtu);
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, "ifb");
  }
  appendAlias(batch, ifb.name, ifb.alias);
  TRY(createConfigured(socket, batch, ifb.name));
  return {};
}

Result<> createVlan(Socket& socket, const NewVlan& vlan) {
  const std::string name = vlan.name.toString();
  Batch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0, IFF_UP, IFF_UP),
              "create " + name + ", the link of VLAN " + std::to_string(vlan.id));
  batch.putText(IFLA_IFNAME, name);
  batch.putU32(IFLA_LINK, vlan.below);
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, "vlan");
    const auto data = batch.nest(IFLA_INFO_DATA);
    batch.putStruct(IFLA_VLAN_ID, static_cast<std::uint16_t>(vlan.id));
  }
  appendAlias(batch, vlan.name, vlan.alias);
  TRY(createConfigured(socket, batch, vlan.name));
  return {};
}

}  // namespace netlib::link
