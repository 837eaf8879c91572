// Shared by link.cpp and link_create.cpp.
#pragma once

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/rtnl/link.h"

namespace netlib::link {

/// `index` 0: IFLA_IFNAME selects or names the link. `change`: the mask of `flags` (IFF_*).
inline ifinfomsg infoOf(unsigned index, unsigned flags = 0, unsigned change = 0) {
  ifinfomsg info{};
  info.ifi_family = AF_UNSPEC;
  info.ifi_index = static_cast<int>(index);
  info.ifi_flags = flags;
  info.ifi_change = change;
  return info;
}

/// A change to the link of that name.
inline void beginChange(Batch& batch, const IfName& name, std::string what, ifinfomsg info = infoOf(0)) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, info, std::move(what));
  batch.putText(IFLA_IFNAME, name.toString());
}

/// The link that the kernel's answer describes. Damaged: none.
Result<Link> linkIn(const Answer& answer);

/// Adds bridge port settings to the current request.
inline void putPort(Batch& batch, PortFlags flags) {
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_SLAVE_KIND, "bridge");
  const auto port = batch.nest(IFLA_INFO_SLAVE_DATA);
  batch.putU8(IFLA_BRPORT_MODE, flags.hairpin ? 1 : 0);
  batch.putU8(IFLA_BRPORT_ISOLATED, flags.isolated ? 1 : 0);
}

}  // namespace netlib::link
