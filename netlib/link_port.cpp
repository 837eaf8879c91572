// Links as ports of a bridge.
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlib/link_request.h"

namespace netlib::link {

namespace {

/// In a request of its own: the kernel looks for the bridge before it makes the link its port.
void appendUpWith(Batch& batch, const IfName& name, PortFlags flags) {
  beginChange(batch, name, "configure bridge port " + name.toString(), infoOf(0, IFF_UP, IFF_UP));
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_SLAVE_KIND, "bridge");
  const auto port = batch.nest(IFLA_INFO_SLAVE_DATA);
  batch.putU8(IFLA_BRPORT_MODE, flags.hairpin ? 1 : 0);
  batch.putU8(IFLA_BRPORT_ISOLATED, flags.isolated ? 1 : 0);
}

}  // namespace

Result<> joinBridge(Socket& socket, const IfName& name, unsigned bridge, PortFlags flags) {
  Batch batch;
  beginChange(batch, name, "make " + name.toString() + " a port of the bridge");
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
  beginChange(batch, name, "take " + name.toString() + " out of its bridge", infoOf(0, 0, IFF_UP));
  batch.putU32(IFLA_MASTER, 0);
  TRY(socket.request(batch));
  return {};
}

}  // namespace netlib::link
