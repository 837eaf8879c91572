#include "netlib/rtnl/bridge_vlan.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>

#include "netlib/rtnl/link_request.h"

namespace netlib::bridge_vlan {

namespace {

ifinfomsg infoOf(unsigned index) {
  ifinfomsg info = link::infoOf(index);
  info.ifi_family = AF_BRIDGE;
  return info;
}

std::uint16_t flagsOf(Membership membership) {
  return static_cast<std::uint16_t>((membership.pvid ? BRIDGE_VLAN_INFO_PVID : 0) |
                                    (membership.untagged ? BRIDGE_VLAN_INFO_UNTAGGED : 0));
}

Membership membershipOf(const bridge_vlan_info& info) {
  return {.pvid = (info.flags & BRIDGE_VLAN_INFO_PVID) != 0, .untagged = (info.flags & BRIDGE_VLAN_INFO_UNTAGGED) != 0};
}

void putInfo(Batch& batch, VlanId vlan, unsigned flags) {
  batch.putStruct(IFLA_BRIDGE_VLAN_INFO, bridge_vlan_info{.flags = static_cast<std::uint16_t>(flags),
                                                          .vid = static_cast<std::uint16_t>(vlan)});
}

void putTable(Batch& batch, Of of, const Table& vlans) {
  const auto settings = batch.nest(IFLA_AF_SPEC);
  if (of == Of::Bridge) batch.putStruct(IFLA_BRIDGE_FLAGS, std::uint16_t{BRIDGE_FLAGS_SELF});
  for (auto first = vlans.begin(); first != vlans.end();) {
    const auto last = endOfRange(vlans, first);
    const unsigned flags = flagsOf(first->second);
    if (last == first) {
      putInfo(batch, first->first, flags);
    } else {
      putInfo(batch, first->first, flags | BRIDGE_VLAN_INFO_RANGE_BEGIN);
      putInfo(batch, last->first, flags | BRIDGE_VLAN_INFO_RANGE_END);
    }
    first = std::next(last);
  }
}

void appendChange(Batch& batch, unsigned type, unsigned index, Of of, const Table& vlans) {
  if (vlans.empty()) return;
  const std::string verb = type == RTM_SETLINK ? "set" : "remove";
  batch.begin(type, NLM_F_ACK, infoOf(index), verb + " VLANs of link " + std::to_string(index));
  putTable(batch, of, vlans);
}

template <class T>
T structureIn(std::span<const std::uint8_t> payload) {
  T content{};
  std::memcpy(&content, payload.data(), std::min(payload.size(), sizeof content));
  return content;
}

void addRange(Table& vlans, VlanId first, VlanId last, Membership membership) {
  for (VlanId vlan = first; vlan <= std::min(last, kMaxVlanId); ++vlan) vlans[vlan] = membership;
}

/// Of RTM_NEWVLAN.
void addEntries(Table& vlans, const Message& message) {
  for (const auto payload : message.attributes<br_vlan_msg>().all(BRIDGE_VLANDB_ENTRY)) {
    const Attributes entry{payload};
    const auto info = entry.structure<bridge_vlan_info>(BRIDGE_VLANDB_ENTRY_INFO);
    if (!info) continue;
    const VlanId last = entry.structure<std::uint16_t>(BRIDGE_VLANDB_ENTRY_RANGE).value_or(info->vid);
    addRange(vlans, info->vid, last, membershipOf(*info));
  }
}

/// Of RTM_NEWLINK.
void addSettings(Table& vlans, const Message& message) {
  VlanId first = 0;
  for (const auto payload : message.attributes<ifinfomsg>().nested(IFLA_AF_SPEC).all(IFLA_BRIDGE_VLAN_INFO)) {
    const auto info = structureIn<bridge_vlan_info>(payload);
    if ((info.flags & BRIDGE_VLAN_INFO_RANGE_END) == 0) first = info.vid;
    if ((info.flags & BRIDGE_VLAN_INFO_RANGE_BEGIN) == 0) addRange(vlans, first, info.vid, membershipOf(info));
  }
}

/// All bridges and ports of the host.
Result<Table> listByLinks(Socket& socket, unsigned index) {
  Batch batch;
  batch.begin(RTM_GETLINK, NLM_F_DUMP | NLM_F_ACK, infoOf(0), "list VLANs of bridge ports");
  batch.putU32(IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN_COMPRESSED);
  Table vlans;
  const auto answers = TRY(socket.request(batch));
  for (const Message& message : answers.front().messages) {
    const auto info = message.family<ifinfomsg>();
    if (info && info->ifi_index == static_cast<int>(index)) addSettings(vlans, message);
  }
  return vlans;
}

}  // namespace

Table::const_iterator endOfRange(const Table& vlans, Table::const_iterator first) {
  auto last = first;
  for (auto next = std::next(first); next != vlans.end(); last = next++) {
    if (first->second.pvid || next->first != last->first + 1 || next->second != first->second) break;
  }
  return last;
}

void appendAdd(Batch& batch, unsigned index, Of of, const Table& vlans) {
  appendChange(batch, RTM_SETLINK, index, of, vlans);
}

void appendRemove(Batch& batch, unsigned index, Of of, const Table& vlans) {
  appendChange(batch, RTM_DELLINK, index, of, vlans);
}

void appendSetFiltering(Batch& batch, unsigned bridge, bool on) {
  batch.begin(RTM_NEWLINK, NLM_F_ACK, link::infoOf(bridge), "set vlan_filtering of bridge " + std::to_string(bridge));
  const auto linkInfo = batch.nest(IFLA_LINKINFO);
  batch.putText(IFLA_INFO_KIND, "bridge");
  const auto own = batch.nest(IFLA_INFO_DATA);
  batch.putU8(IFLA_BR_VLAN_FILTERING, on ? 1 : 0);
}

Result<Table> list(Socket& socket, unsigned index) {
  Batch batch;
  br_vlan_msg about{};
  about.family = AF_BRIDGE;
  about.ifindex = index;
  batch.begin(RTM_GETVLAN, NLM_F_DUMP | NLM_F_ACK, about, "list VLANs of link " + std::to_string(index));
  const auto answers = socket.request(batch);
  if (answers.failedWith(EOPNOTSUPP)) return listByLinks(socket, index);  // before Linux 5.6
  if (!answers) return fail(answers.error());
  Table vlans;
  for (const Message& message : answers->front().messages) addEntries(vlans, message);
  return vlans;
}

}  // namespace netlib::bridge_vlan
