#!/bin/bash
# kernels: all
# default: the_last_container_takes_the_address_from_a_foreign_bridge
# seconds: 480
# Whose the gateway's address on a bridge is. Before 5.18 the kernel has no mark on addresses (IFA_PROTO): the ledger knows it.
# And routes with several gateways, whose netlink form is the same on all kernels.
source ./lib.sh

gateway_on() { ip -o addr show dev "$1" scope global | grep -c " $2 "; }
foreign_bridge() { # with a port of another program
  ip link add br-admin type bridge
  ip link set br-admin up
  ip link add port0 type veth peer name port1
  ip link set port0 up master br-admin
  ip link set port1 up # a bridge whose ports have no carrier changes its state with the first container's
  eventually grep -q up /sys/class/net/br-admin/operstate
}
shared() { conf 'bridge="br-admin"' 'ipam={"ranges":[[{"subnet":"10.70.0.0/24"}],[{"subnet":"fd70::/64"}]]}' "$@"; }

the_last_container_takes_the_address_from_a_foreign_bridge() {
  foreign_bridge
  netns c1 c2
  before
  for name in c1 c2; do shared | cni ADD $name; is "ADD $name" 0 $rc; done
  for name in c2 c1; do
    is "address before DEL of $name" "1 1" "$(gateway_on br-admin 10.70.0.1/24) $(gateway_on br-admin fd70::1/64)"
    shared | cni DEL $name; is "DEL $name" 0 $rc
  done
  nothing_left
}

an_address_that_was_there_before_stays() {
  foreign_bridge
  ip addr add 10.70.0.1/24 brd + dev br-admin
  netns c1 c2
  before
  for name in c1 c2; do shared | cni ADD $name; is "ADD $name" 0 $rc; done
  for name in c2 c1; do shared | cni DEL $name; is "DEL $name" 0 $rc; done
  nothing_left "the owner's address stays, and pons' IPv6 address does not"
}

two_networks_on_one_bridge() {
  netns c1 c2
  second() { conf 'name="second"' 'ipam={"subnet":"10.43.0.0/24"}'; }
  before
  conf | cni ADD c1; is "ADD" 0 $rc
  dump >/run/one
  second | cni ADD c2; is "ADD of the second network" 0 $rc
  second | cni DEL c2; is "DEL of the second network" 0 $rc
  is "the second network's address goes while the first one lives" "" "$(dump | diff /run/one -)"
  conf | cni DEL c1; is "DEL" 0 $rc
  nothing_left
}

a_refused_add_leaves_no_address() {
  netns c1
  second() { conf 'name="second"' 'ipam={"subnet":"10.43.0.0/24"}'; }
  conf | cni ADD c1; is "ADD" 0 $rc
  before
  second | cni ADD c1 # the interface is there already
  is "ADD is refused" 1 $rc
  nothing_left "own bridge: nothing is left of the refused ADD"
  ip link add port0 type veth peer name port1
  ip link set port0 up master pons0
  before
  second | cni ADD c1; is "ADD is refused" 1 $rc
  nothing_left "own bridge with another port: nothing is left of the refused ADD"
  conf | cni DEL c1
}

several_gateways_are_one_route() {
  netns c1
  several() {
    conf 'ipam={"ranges":[[{"subnet":"10.42.0.0/24"}],[{"subnet":"fd42::/64"}]], "routes":[
      {"dst":"0.0.0.0/0"},{"dst":"0.0.0.0/0","gw":"10.42.0.7"},{"dst":"::/0","gw":"fd42::7"},{"dst":"::/0","gw":"fd42::8"},{"dst":"::/0"}]}'
  }
  local result
  several | cni ADD c1; is "ADD" 0 $rc
  result=$out
  has "IPv4 next hops" "via 10.42.0.1 .*via 10.42.0.7 " "$(one_line "$(ip -n c1 route show default)")"
  is "IPv6 next hops" 3 "$(ip -n c1 -6 route show default | grep -c 'via fd42::[178] ')"
  several | prev "$result" | cni CHECK c1; is "CHECK" 0 $rc
  ip -n c1 route del default
  ip -n c1 route add default via 10.42.0.1
  several | prev "$result" | cni CHECK c1
  is "CHECK misses a next hop" "101" "$(code)"
  several | cni DEL c1; is "DEL" 0 $rc
}

cases the_last_container_takes_the_address_from_a_foreign_bridge an_address_that_was_there_before_stays \
  two_networks_on_one_bridge a_refused_add_leaves_no_address several_gateways_are_one_route
