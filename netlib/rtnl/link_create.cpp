// Links in the making.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>

#include "netlib/rtnl/link_request.h"

namespace netlib::link {

namespace {

/// The alias is not taken when a link is made, so it follows in the same datagram, and so do settings of a port. Where
/// the making failed since the host name is taken, they go to that link: it is an attachment's own, as the name is
/// derived from it.
void appendAlias(Batch& batch, const IfName& name, const std::string& alias) {
  beginChange(batch, name, "mark link " + name.toString());
  batch.putText(IFLA_IFALIAS, alias);
}

/// The kernel's default is a queue for each processor and way, with an entry of its own in sysfs: a fifth of the time
/// that a veth takes on two processors, and more on more. Only XDP and GRO in the veth itself would use them.
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

/// A port of a bridge needs no IPv6 address of its own, and the kernel walks those of all links whenever one more comes
/// (5 ms where there are 5,000). In time, as there are none before the peer is up.
void appendNoLinkLocal(Batch& batch, const IfName& name) {
  beginChange(batch, name, "keep link " + name.toString() + " without IPv6 address");
  const auto families = batch.nest(IFLA_AF_SPEC);
  const auto ipv6 = batch.nest(AF_INET6);
  batch.putU8(IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
}

std::optional<unsigned> peerIndexOf(const Answer& answer) {
  if (answer.messages.empty()) return std::nullopt;
  return answer.messages.front().attributes<ifinfomsg>().u32(IFLA_LINK);
}

/// A batch whose first request makes the link and whose others complete it: it is there with all of that, or not at
/// all. The answer to the first request. The one about IPv6 may find none, in the kernel or at the link: EAFNOSUPPORT.
Result<Answer> createWhole(Socket& socket, Batch& batch, const IfName& name,
                           std::optional<std::size_t> aboutIpv6 = std::nullopt) {
  auto answers = TRY(socket.exchange(batch));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i].error == 0 || (i == aboutIpv6 && answers[i].error == EAFNOSUPPORT)) continue;
    // The error that matters is the first one.
    if (i > 0) static_cast<void>(remove(socket, name));
    return fail(errorOf(answers[i], batch.what(i)));
  }
  return std::move(answers.front());
}

}  // namespace

Result<> createBridge(Socket& socket, const NewBridge& bridge) {
  const std::string name = bridge.name.toString();
  Batch batch;
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0, IFF_UP, IFF_UP), "create bridge " + name);
  batch.putText(IFLA_IFNAME, name);
  batch.put(IFLA_ADDRESS, bridge.mac.bytes());
  if (bridge.mtu != 0) batch.putU32(IFLA_MTU, bridge.mtu);
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
  batch.begin(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK, infoOf(0), "ask for links of kind " + kind);
  // The kernel looks for the kind first (and loads its module), and then finds that no link may bear this name. The
  // address is no MAC address: a kind that looks at it says so before a veth has made its other end.
  batch.putText(IFLA_IFNAME, "no/name");
  batch.putU8(IFLA_ADDRESS, 0);
  {
    const auto linkInfo = batch.nest(IFLA_LINKINFO);
    batch.putText(IFLA_INFO_KIND, kind);
  }
  const auto answers = TRY(socket.exchange(batch));
  if (answers.front().error == EINVAL) return {};
  return fail(errorOf(answers.front(), "this kernel makes no " + kind + "s"));
}

Result<std::optional<unsigned>> createVeth(Socket& socket, const NewVeth& veth) {
  Batch batch;
  appendVethPair(batch, veth);
  appendAlias(batch, veth.hostName, veth.alias);
  putPort(batch, veth.port);
  const std::size_t aboutIpv6 = batch.count();
  appendNoLinkLocal(batch, veth.hostName);
  return peerIndexOf(TRY(createWhole(socket, batch, veth.hostName, aboutIpv6)));
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
  TRY(createWhole(socket, batch, ifb.name));
  return {};
}

}  // namespace netlib::link
