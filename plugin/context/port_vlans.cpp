#include "plugin/context/port_vlans.h"

#include "plugin/context/link_owner.h"

namespace pons {

namespace bridge_vlan = netlib::bridge_vlan;
namespace link = netlib::link;
using bridge_vlan::Of;

bridge_vlan::Table tableOf(const PortVlans& vlans) {
  bridge_vlan::Table table;
  constexpr bridge_vlan::Membership kUntagged{.pvid = true, .untagged = true};
  if (vlans.untagged) table[*vlans.untagged] = kUntagged;
  for (const netlib::VlanRange& range : vlans.trunk) {
    for (netlib::VlanId vlan = range.first; vlan <= range.last; ++vlan) table[vlan] = {};
  }
  if (!vlans.untagged && !vlans.trunk.empty()) table[PortVlans::kNative] = kUntagged;
  return table;
}

std::string textOf(const bridge_vlan::Table& vlans) {
  std::string text;
  for (auto first = vlans.begin(); first != vlans.end();) {
    const auto last = bridge_vlan::endOfRange(vlans, first);
    text += (text.empty() ? "" : ", ") + std::to_string(first->first);
    if (last != first) text += "-" + std::to_string(last->first);
    if (first->second.untagged) text += first->second.pvid ? " untagged" : " untagged when sent";
    if (!first->second.untagged && first->second.pvid) text += " untagged when received";
    first = std::next(last);
  }
  return text.empty() ? "none" : text;
}

void appendPortVlans(netlib::Batch& batch, unsigned index, const PortVlans& vlans,
                     const netlib::link::BridgeVlans& bridge) {
  if (!vlans.keepsDefault && bridge.defaultPvid != 0) {
    bridge_vlan::appendRemove(batch, index, Of::Port, {{bridge.defaultPvid, {}}});
  }
  bridge_vlan::appendAdd(batch, index, Of::Port, tableOf(vlans));
}

netlib::Result<> raiseVlanLinks(Host& host, const link::Link& bridge) {
  netlib::Batch batch;
  for (const link::Link& candidate : TRY(link::ofKind(host.route, "vlan"))) {
    const bool isLower = candidate.peer == bridge.index && candidate.mtu < bridge.mtu;
    if (isLower && isOwn(host, candidate)) link::appendSetMtu(batch, candidate.index, bridge.mtu);
  }
  const auto raised = host.route.request(batch);
  // Ports come without the lock: one with a smaller MTU has lowered all of them again.
  if (!raised && !raised.failedWith(ERANGE)) return netlib::fail(raised.error());
  return {};
}

}  // namespace pons
