// How requests about links begin. Of use to netlib/link*.cpp only.
#pragma once

#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "netlib/link.h"

namespace netlib::link {

/// `index` 0: the link is named by an attribute, or is to be made. `change` says which of `flags` (IFF_*) count.
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

}  // namespace netlib::link
