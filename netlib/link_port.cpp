// Links as ports of a bridge.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlib/link.h"

namespace netlib::link {

namespace {

void beginFor(Batch& batch, const IfName& name, std::string what, unsigned flags = 0, unsigned change = 0) {
  ifinfomsg info{};
  info.ifi_family = AF_UNSPEC;
  info.ifi_flags = flags;
  info.ifi_change = change;
  batch.begin(RTM_NEWLINK, NLM_F_ACK, info, std::move(what));
  batch.putText(IFLA_IFNAME, name.toString());
}

/// In a request of its own: the kernel looks for the bridge before it makes the link its port.
void appendUpWith(Batch& batch, const IfName& name, PortFlags flags) {
  beginFor(batch, name, "configure bridge port " + name.toString(), IFF_UP, IFF_UP);
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_SLAVE_KIND, "bridge");
  const auto port = batch.nest(IFLA_INFO_SLAVE_DATA);
  batch.putU8(IFLA_BRPORT_MODE, flags.hairpin ? 1 : 0);
  batch.putU8(IFLA_BRPORT_ISOLATED, flags.isolated ? 1 : 0);
}

}  // namespace

Result<> joinBridge(Socket& socket, const IfName& name, unsigned bridge, PortFlags flags) {
  Batch batch;
  beginFor(batch, name, "make " + name.toString() + " a port of the bridge");
  batch.putU32(IFLA_MASTER, bridge);
  appendUpWith(batch, name, flags);
  const auto joined = socket.request(batch);
  if (joined) return {};
  // The error that matters is the first one.
  static_cast<void>(leaveBridge(socket, name));
  return fail(joined.error());
}

Result<> leaveBridge(Socket& socket, const IfName& name) {
  Batch batch;
  beginFor(batch, name, "take " + name.toString() + " out of its bridge", 0, IFF_UP);
  batch.putU32(IFLA_MASTER, 0);
  TRY(socket.request(batch));
  return {};
}

}  // namespace netlib::link
