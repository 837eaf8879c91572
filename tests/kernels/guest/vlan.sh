#!/bin/bash
# VLANs: access ports and trunks.
# kernels: all
# default: a_trunk
# seconds: 1200
source ./lib.sh

# Layer 2 alone, so that nothing is routed.
containers_reach_their_vlan_only() {
  before
  add c1 vlan=100 isGateway=false "$(range 10 19)"; local first; first=$(address)
  add c2 vlan=100 isGateway=false "$(range 10 19)"; local second; second=$(address)
  add c3 name='"other"' vlan=200 isGateway=false "$(range 20 29)"; local third; third=$(address)
  is "the port of c1" "100 PVID Egress Untagged" "$(vlans "$(port c1)")"
  is "the bridge filters" 1 "$(filtering pons0)"
  is "the same VLAN" yes "$(pings c1 "$second")"
  is "another VLAN" no "$(WAIT=1 pings c1 "$third")"
  is "and back" no "$(WAIT=1 pings c3 "$first")"
  hasnt "no link of a gateway" "pons0\." "$(ip -o link)"
  checked c1 c2 c3
  del c2 c1
  is "the other VLAN still filters" 1 "$(filtering pons0)"
  checked c3
  del c3
  nothing_left
}

the_default_vlan_is_kept_or_not() {
  before
  add c1 vlan=100 "$(range 10 19)"
  is "without" "100 PVID Egress Untagged" "$(vlans "$(port c1)")"
  add c2 vlan=100 preserveDefaultVlan=true "$(range 10 19)"
  is "with" "1 Egress Untagged, 100 PVID Egress Untagged" "$(vlans "$(port c2)")"
  add c3 name='"trunk"' 'vlanTrunk=[{"id":100},{"minID":200,"maxID":205},{"id":204}]' ipam='{}'
  is "a trunk without" "1 PVID Egress Untagged, 100, 200-205" "$(vlans "$(port c3)")"
  add c4 name='"trunk"' 'vlanTrunk=[{"id":100}]' preserveDefaultVlan=true ipam='{}'
  is "a trunk with" "1 PVID Egress Untagged, 100" "$(vlans "$(port c4)")"
  add c5 vlan=100 'vlanTrunk=[{"id":200}]' "$(range 10 19)"
  is "both" "100 PVID Egress Untagged, 200" "$(vlans "$(port c5)")"
  checked c1 c2 c3 c4 c5
  del c1 c4 c3 c5 c2
  nothing_left
}

# inside NETNS VLAN ADDRESS: a link of its own to a VLAN
inside() { ip -n "$1" link add link eth0 name "eth0.$2" type vlan id "$2" && ip -n "$1" link set "eth0.$2" up && ip -n "$1" addr add "$3" dev "eth0.$2"; }

a_trunk() {
  before
  add c1 vlan=100 isGateway=false "$(range 10 19)"; local first; first=$(address)
  add c2 name='"other"' vlan=200 isGateway=false "$(range 20 29)"; local second; second=$(address)
  add t name='"trunk"' 'vlanTrunk=[{"id":100}]' ipam='{}'
  inside t 100 10.42.0.50/24
  is "a VLAN of the trunk" yes "$(pings t "$first")"
  ip -n t addr del 10.42.0.50/24 dev eth0.100
  inside t 200 10.42.0.50/24
  is "another VLAN" no "$(WAIT=1 pings t "$second")"
  checked t
  del t c2 c1
  nothing_left
}

the_spoof_guard_inspects_tagged_frames() {
  before
  add c1 vlan=100 isGateway=false "$(range 10 19)"; local first; first=$(address)
  add t name='"trunk"' 'vlanTrunk=[{"id":100}]' isGateway=false "$(range 20 29)"; local own; own=$(address)
  is "the group of a trunk's port" 28785 "$(ip -j -d link show "$(port t)" | jq -r '.[0].group' | sed 's/^group //')"
  ip -n t addr flush dev eth0
  inside t 100 "$own/24"
  is "its own address passes with a tag" yes "$(pings t "$first")"
  ip -n t addr flush dev eth0.100; ip -n t addr add 10.42.0.77/24 dev eth0.100
  ip -n c1 neigh flush all
  is "another does not" no "$(WAIT=1 pings t "$first")"
  is "nor is it learned" "" "$(ip -n c1 neigh show 10.42.0.77 | grep lladdr)"
  ip -n t addr flush dev eth0.100; ip -n t addr add "$own/24" dev eth0.100; ip -n t link set eth0.100 address 02:00:00:00:00:77
  is "nor another MAC" no "$(WAIT=1 pings t "$first")"
  ip -n c1 addr flush dev eth0
  inside c1 100 "$first/24"
  ip -n t link set eth0.100 address "$(ip -n t -j link show eth0 | jq -r '.[0].address')"
  is "a port without trunk sends no tags" no "$(WAIT=1 pings c1 "$own")"
  del t c1
  nothing_left
}

egress_policies_are_about_tagged_frames() {
  modprobe br_netfilter
  before
  local sysctls=(/proc/sys/net/bridge/bridge-nf-{filter-vlan-tagged,pass-vlan-input-dev})
  echo 1 >"${sysctls[1]}"
  add c1 vlan=100 isGateway=false "$(range 10 14)"; local first; first=$(address)
  add c2 vlan=100 isGateway=false "$(range 10 14)"; local second; second=$(address)
  add t name='"trunk"' 'vlanTrunk=[{"id":100}]' isGateway=false "$(range 20 29)" "egressPolicy={\"allowedCidrs\":[\"$first\"]}"; local own; own=$(address)
  is "tagged frames pass IP's hooks" "1 0" "$(cat "${sysctls[@]}" | xargs)"
  ip -n t addr flush dev eth0
  inside t 100 "$own/24"
  is "an allowed destination" yes "$(pings t "$first")"
  is "a denied one" no "$(WAIT=1 pings t "$second")"
  is "replies pass" yes "$(pings c1 "$own")"
  del t c1 c2
  is "the sysctls are as before" "0 1" "$(cat "${sysctls[@]}" | xargs)"
  echo 0 >"${sysctls[1]}"
  nothing_left
}

the_bridges_own_vlan() {
  netns c1
  before
  conf vlan=1 | cni ADD c1
  has "with a gateway it is refused" "VLAN 1 is the one of bridge pons0 itself" "$rc $out"
  nothing_left
  add c2 vlan=1 isGateway=false
  is "without one it is the port's" "1 PVID Egress Untagged" "$(vlans "$(port c2)")"
  del c2
  nothing_left
  ip link add pons0.100 type dummy
  before
  conf vlan=100 | cni ADD c1
  has "a link that is in the way" "pons0.100 exists and does not lead to VLAN 100" "$rc $out"
  nothing_left
}

without_vlan_links() {
  without 8021q
  netns c1
  before
  conf vlan=100 | cni ADD c1
  is "code 2" 2 "$(code)"
  has "the option is named" "CONFIG_VLAN_8021Q" "$out"
  nothing_left
  add c2 vlan=100 isGateway=false
  del c2
  nothing_left "a VLAN without a gateway needs none, and"
}

cases containers_reach_their_vlan_only the_default_vlan_is_kept_or_not a_trunk the_spoof_guard_inspects_tagged_frames \
  egress_policies_are_about_tagged_frames the_bridges_own_vlan without_vlan_links
