#!/bin/bash
# VLANs that other programs have set or change: bridges of others, CHECK and repair.
# kernels: all
# default: no
# seconds: 1200
source ./lib.sh

bridges_of_others() {
  local kept
  ip link add br7 up type bridge; ip link add p7 up master br7 type dummy
  kept="$(vlans br7) $(vlans p7)"
  before
  add c1 bridge='"br7"' vlan=100
  is "it filters" 1 "$(filtering br7)"
  checked c1
  is "the gateway" yes "$(pings c1 10.42.0.1)"
  del c1
  is "it does not filter any more" 0 "$(filtering br7)"
  is "its VLANs are as before" "$kept" "$(vlans br7) $(vlans p7)"
  nothing_left
  ip link set br7 type bridge vlan_filtering 1
  add c2 bridge='"br7"' vlan=100
  del c2
  is "one that filtered goes on" 1 "$(filtering br7)"
  is "its VLANs are as before" "$kept" "$(vlans br7) $(vlans p7)"
  ip link add link br7 name br7.100 type vlan id 100; bridge vlan add dev br7 vid 100 self; ip link set br7.100 up
  before
  add c3 bridge='"br7"' vlan=100
  is "the administrator's link is used" yes "$(pings c3 10.42.0.1)"
  checked c3
  del c3
  has "and stays" "br7.100" "$(ip -o link)"
  has "with its VLAN" "100" "$(vlans br7)"
  nothing_left
}

a_bridge_that_gives_a_new_port_no_vlan() {
  ip link add br7 up type bridge vlan_filtering 1 vlan_default_pvid 0; ip link add p7 up master br7 type dummy
  netns c1
  before
  conf bridge='"br7"' | cni ADD c1
  has "ADD is refused" "vlan_default_pvid 0.*set .*vlan" "$rc $out"
  nothing_left
  add c2 bridge='"br7"' vlan=100
  is "the port" "100 PVID Egress Untagged" "$(vlans "$(port c2)")"
  is "the gateway" yes "$(pings c2 10.42.0.1)"
  checked c2
  del c2
  nothing_left "after a VLAN nothing is left"
  ip link set br7 type bridge vlan_filtering 0
  before
  conf bridge='"br7"' vlan=100 | cni ADD c1
  has "one that would cut off its ports is refused" "cut them off" "$rc $out"
  nothing_left
}

a_lost_container() {
  before
  add c1 vlan=100; add c2 name='"other"' vlan=200 ipam='{"subnet":"10.43.0.0/24"}'
  rm -r /run/pons/networks /run/pons/holds
  ip netns del c1; ip netns del c2
  sleep 1
  expect "gc" ponsctl gc --delete
  hasnt "no link is left" "pons0" "$(ip -o link)"
  rm -rf /run/pons
}

# damaged "COMMAND|WORDS"...: CHECK of c1 finds what each command does and says WORDS, and "ponsctl repair" restores it
damaged() {
  local damage words part
  part=$(port c1)
  for damage; do
    words=${damage#*|} damage=${damage%%|*}
    expect "$damage" ${damage//PORT/$part}
    check c1
    has "CHECK names it" "^10[0-9] .*$words" "$(code) $out"
    expect "repair" ponsctl repair
    checked c1 c2
    is "the port" "100 PVID Egress Untagged" "$(vlans "$part")"
    is "the gateway" yes "$(pings c1 10.42.0.1)"
  done
}
two_in_a_vlan() { before; add c1 vlan=100; add c2 vlan=100 preserveDefaultVlan=true; }
another_program_changes_a_port() {
  two_in_a_vlan
  bridge vlan del dev "$(port c1)" vid 100
  has "ponsctl check" "VLANs of .* is none, expected 100 untagged: run .ponsctl repair" "$(one_line "$(COLUMNS=200 ponsctl check)")"
  has "doctor" "1 attachment is incomplete.*ponsctl check" "$(one_line "$(COLUMNS=200 ponsctl doctor)")"
  bridge vlan add dev "$(port c1)" vid 100 pvid untagged
  damaged "bridge vlan del dev PORT vid 100|VLANs of .*none.*expected 100 untagged" \
    "bridge vlan add dev PORT vid 7|VLANs of .*7, 100 untagged" \
    "bridge vlan add dev PORT vid 100|VLANs of .*100" \
    "ip link set PORT nomaster|bridge of"
  del c2 c1
  nothing_left
}
another_program_changes_the_bridge() {
  two_in_a_vlan
  damaged "bridge vlan del dev pons0 vid 100 self|VLAN 100 of bridge pons0 itself" \
    "ip link set pons0 type bridge vlan_filtering 0|VLAN filtering of bridge pons0" \
    "ip link del pons0|bridge pons0"
  del c2 c1
  nothing_left
}
another_program_changes_the_gateway() {
  two_in_a_vlan
  damaged "ip link del pons0.100|link pons0.100 to VLAN 100" \
    "ip link set pons0.100 down|link pons0.100 to VLAN 100" \
    "ip addr del 10.42.0.1/24 dev pons0.100|gateway address 10.42.0.1/24"
  del c2 c1
  nothing_left
}
another_program_changes_a_trunk() {
  before
  add t name='"trunk"' 'vlanTrunk=[{"minID":5,"maxID":9}]' ipam='{}'
  bridge vlan del dev "$(port t)" vid 7
  check t
  has "CHECK names it" "VLANs of .*5-6, 8-9.*expected .*5-9" "$out"
  expect "repair" ponsctl repair
  is "the trunk" "1 PVID Egress Untagged, 5-9" "$(vlans "$(port t)")"
  checked t
  del t
  nothing_left
}

cases bridges_of_others a_bridge_that_gives_a_new_port_no_vlan a_lost_container another_program_changes_a_port another_program_changes_the_bridge \
  another_program_changes_the_gateway another_program_changes_a_trunk
