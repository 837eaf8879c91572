#include "plugin/context/port_vlans.h"

namespace pons {

namespace bridge_vlan = netlib::bridge_vlan;
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
    auto last = first;
    auto next = std::next(first);
    for (; next != vlans.end() && next->first == last->first + 1 && next->second == first->second; ++next) last = next;
    text += (text.empty() ? "" : ", ") + std::to_string(first->first);
    if (last != first) text += "-" + std::to_string(last->first);
    if (first->second.untagged) text += first->second.pvid ? " untagged" : " untagged when sent";
    if (!first->second.untagged && first->second.pvid) text += " untagged when received";
    first = next;
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

}  // namespace pons
