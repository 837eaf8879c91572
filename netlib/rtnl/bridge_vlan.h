// VLAN filtering of bridges (CONFIG_BRIDGE_VLAN_FILTERING): which VLANs a port takes part in, and the bridge itself as
// the port of the host's own IP stack.
#pragma once

#include <map>

#include "netlib/netlink/socket.h"
#include "netlib/values/vlan.h"

namespace netlib::bridge_vlan {

/// BRIDGE_VLAN_INFO_* of linux/if_bridge.h.
struct Membership {
  bool pvid = false;      ///< frames that arrive without a tag are of this VLAN; of one VLAN of a port at most
  bool untagged = false;  ///< frames leave without a tag

  friend bool operator==(const Membership&, const Membership&) = default;
};

using Table = std::map<VlanId, Membership>;

/// What the index names: a port, or the bridge itself.
enum class Of : bool { Port, Bridge };

/// Requests for a batch. EOPNOTSUPP: the kernel lacks the option, or the link is no port. Consecutive VLANs with the
/// same membership are one range (BRIDGE_VLAN_INFO_RANGE_BEGIN). An empty table makes no request.

/// A VLAN that is there already gets this membership.
void appendAdd(Batch& batch, unsigned index, Of of, const Table& vlans);
/// VLANs that are not there are no error.
void appendRemove(Batch& batch, unsigned index, Of of, const Table& vlans);
/// IFLA_BR_VLAN_FILTERING.
void appendSetFiltering(Batch& batch, unsigned bridge, bool on);

/// The last of the consecutive VLANs with one membership that begin at `first`. The kernel accepts no PVID in a range.
Table::const_iterator endOfRange(const Table& vlans, Table::const_iterator first);

/// The VLANs of a port or a bridge; empty without the option. A dump, of that link alone since Linux 5.6.
Result<Table> list(Socket& socket, unsigned index);

}  // namespace netlib::bridge_vlan
