// The VLANs of a container's port, from its settings.
#pragma once

#include "netlib/rtnl/bridge_vlan.h"
#include "netlib/rtnl/link.h"

#include "plugin/context/context.h"
#include "plugin/model/attachment.h"

namespace pons {

/// Those that the settings name; as in the reference plugin, a VLAN in both of them is tagged.
netlib::bridge_vlan::Table tableOf(const PortVlans& vlans);

/// For messages: "100 untagged", "1, 200-205"; "none" without any.
std::string textOf(const netlib::bridge_vlan::Table& vlans);

/// Requests that give them to the port with that index, a new one of the bridge: it has that one's default VLAN.
void appendPortVlans(netlib::Batch& batch, unsigned index, const PortVlans& vlans,
                     const netlib::link::BridgeVlans& bridge);

/// The MTU of a bridge is the smallest of its ports'. The kernel lowers those of its VLAN links with it, and does not
/// raise them: this gives the bridge's MTU to the gateways' links of this ledger. The caller holds the host lock.
netlib::Result<> raiseVlanLinks(Host& host, const netlib::link::Link& bridge);

}  // namespace pons
