// Whether this kernel can filter VLANs: what needs that is refused where it cannot.
#pragma once

#include "netlib/rtnl/link.h"

namespace support {

/// CONFIG_BRIDGE_VLAN_FILTERING, by a bridge that is made for that; in a fake host.
inline bool kernelFiltersVlans() {
  auto socket = netlib::Socket::open(netlib::Socket::Subsystem::Route).value();
  const auto name = netlib::IfName::parse("probe0").value();
  netlib::link::createBridge(socket, {.name = name, .mac = netlib::MacAddress{{2, 0, 0, 0, 0, 1}}}).value();
  const bool filters = netlib::link::find(socket, name).value().bridgeVlans.has_value();
  netlib::link::remove(socket, name).value();
  return filters;
}

}  // namespace support
