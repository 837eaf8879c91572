#!/bin/bash
# The gateway's link of a VLAN: what is routed by it.
# kernels: all
# default: no
# seconds: 1200
source ./lib.sh

gateway_of='{"ranges":[[{"subnet":"10.42.0.0/24"}],[{"subnet":"fd42::/64"}]]}'

the_gateway_of_a_vlan() {
  world; serve outside 80 outside
  local ports='portMappings=[{"hostPort":8080,"containerPort":80},{"hostPort":5353,"containerPort":53,"protocol":"udp"}]'
  before
  add c1 vlan=100 "$ports" ipam="$gateway_of"
  is "the result ends with its link" '"pons0.100"' "$(jq -c '.interfaces[-1].name' <<<"$out")"
  is "its MAC" "$(ip -j link show pons0.100 | jq -r '.[0].address')" "$(jq -r '.interfaces[-1].mac' <<<"$out")"
  is "the addresses name the container's interface" eth0 "$(jq -r '.interfaces[.ips[0].interface].name' <<<"$out")"
  add c2 vlan=100 ipam="$gateway_of"; local second=$(address)
  add c3 name='"other"' vlan=200 ipam='{"subnet":"10.43.0.0/24"}'; local third=$(address)
  has "its addresses" "10.42.0.1/24.*fd42::1/64" "$(one_line "$(ip -o addr show pons0.100)")"
  has "those of another VLAN" "10.43.0.1/24" "$(ip -o addr show pons0.200)"
  hasnt "the bridge has none" "10\.4|fd42" "$(ip -o addr show pons0)"
  serve c1 80 web; serve c1 53 dns udp; serve c3 80 third
  is "out by masquerade" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "IPv6 as well" "outside 2001:db8:1::1" "$(ask c1 2001:db8:1::2 80)"
  is "published TCP port" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  is "over IPv6" "web 2001:db8:1::2" "$(ask outside 2001:db8:1::1 8080)"
  is "published UDP port" "dns 192.0.2.2" "$(ask outside 192.0.2.1 5353 udp)"
  has "at 127.0.0.1" "^web" "$(ask host 127.0.0.1 8080)"
  has "hairpin" "^web" "$(ask c1 192.0.2.1 8080)"
  has "the neighbour at the published port" "^web" "$(ask c2 192.0.2.1 8080)"
  has "another VLAN by way of the host" "^third" "$(ask c1 "$third" 80)"
  checked c1 c2 c3
  del c1
  is "the neighbour goes on" yes "$(pings c2 10.42.0.1)"
  checked c2 c3
  del c2
  hasnt "its link is gone" "pons0.100" "$(ip -o link)"
  is "another VLAN goes on" "outside 192.0.2.1" "$(ask c3 192.0.2.2 80)"
  del c3
  nothing_left
}

an_egress_policy_of_an_access_port() {
  modprobe br_netfilter
  world; serve outside 80 outside; ip -n outside addr add 198.51.100.2/32 dev lo
  before
  add c1 vlan=100 'egressPolicy={"allowedCidrs":["192.0.2.2"]}'
  add c2 vlan=100
  is "allowed" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "denied" "" "$(WAIT=1 ask c1 198.51.100.2 80)"
  is "the neighbour has no policy" "outside 192.0.2.1" "$(ask c2 198.51.100.2 80)"
  checked c1 c2
  del c1 c2
  nothing_left
}

# As nodes of Kubernetes are: bridged packets pass iptables, and the host forwards nothing else.
with_br_netfilter_and_a_dropping_firewall() {
  modprobe br_netfilter
  world; serve outside 80 outside
  sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
  iptables-nft -P FORWARD DROP; ip6tables-nft -P FORWARD DROP
  before
  add c1 vlan=100 ipam="$gateway_of" 'portMappings=[{"hostPort":8080,"containerPort":80}]'; local first; first=$(address)
  add c2 vlan=100 ipam="$gateway_of"
  serve c1 80 web
  is "out by masquerade" "outside 192.0.2.1" "$(ask c2 192.0.2.2 80)"
  is "IPv6 as well" "outside 2001:db8:1::1" "$(ask c2 2001:db8:1::2 80)"
  has "a neighbour" "^web" "$(ask c2 "$first" 80)"
  is "published port" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  checked c1 c2
  del c1 c2
  nothing_left
}

policies_are_those_of_the_vlan() {
  before
  add c1 vlan=100 ingressPolicy='"same-bridge"'; local first; first=$(address)
  add c2 vlan=100 ingressPolicy='"same-bridge"'
  add c3 name='"other"' vlan=200 ingressPolicy='"isolated"' ipam='{"subnet":"10.43.0.0/24"}'; local third; third=$(address)
  add c4 name='"other"' vlan=200 ingressPolicy='"isolated"' ipam='{"subnet":"10.43.0.0/24"}'
  is "the same VLAN" yes "$(pings c2 "$first")"
  is "from another VLAN by way of the host" no "$(WAIT=1 pings c3 "$first")"
  is "into an isolated one" no "$(WAIT=1 pings c1 "$third")"
  is "inside an isolated one" no "$(WAIT=1 pings c4 "$third")"
  add c5 name='"inner"' vlan=300 internal=true ipam='{"subnet":"10.44.0.0/24"}'
  is "an internal VLAN reaches its gateway" yes "$(pings c5 10.44.0.1)"
  is "and nothing else" no "$(WAIT=1 pings c5 "$third")"
  add c6 name='"published"' vlan=400 publishedOnly=true ipam='{"subnet":"10.45.0.0/24"}'; local sixth; sixth=$(address)
  add c7 name='"published"' vlan=400 ipam='{"subnet":"10.45.0.0/24"}'
  is "published ports only: not from another VLAN" no "$(WAIT=1 pings c1 "$sixth")"
  is "from the same VLAN" yes "$(pings c7 "$sixth")"
  is "replies from another VLAN" yes "$(pings c6 "$first")"
  checked c1 c2 c3 c4 c5 c6 c7
  del c7 c6 c5 c4 c3 c1 c2
  nothing_left
}

# mtus LINK...: of the host
mtus() { local link; for link; do ip -j link show "$link" | jq -r '.[0].mtu'; done | xargs; }
the_gateways_link_has_the_mtu_of_the_bridge() {
  before
  add c1 vlan=100 mtu=9000
  is "of one container" "9000 9000" "$(mtus pons0 pons0.100)"
  is "in its result" 9000 "$(jq '.interfaces[-1].mtu' <<<"$out")"
  is "frames of that size" yes "$(in_ns c1 ping -n -c 1 -M do -s 8900 10.42.0.1 >/dev/null 2>&1 && echo yes || echo no)"
  add c2 name='"other"' vlan=200 mtu=1400 ipam='{"subnet":"10.43.0.0/24"}'
  is "in the result of a smaller one" 1400 "$(jq '.interfaces[-1].mtu' <<<"$out")"
  is "with a smaller one in another VLAN" "1400 1400 1400" "$(mtus pons0 pons0.100 pons0.200)"
  add c3 vlan=100 mtu=9000
  del c2
  is "without it" "9000 9000" "$(mtus pons0 pons0.100)"
  add c4 name='"untagged"' isGateway=false ipam='{"subnet":"10.44.0.0/24"}'
  is "with one in no VLAN" "1500 1500" "$(mtus pons0 pons0.100)"
  del c4
  is "without it" "9000 9000" "$(mtus pons0 pons0.100)"
  add c5 vlan=100 mtu=2000
  ip netns del c5; eventually [ ! -e "/sys/class/net/$(jq -r '.interfaces[1].name' /run/c5.result)" ]
  del c5
  is "without a lost one" "9000 9000" "$(mtus pons0 pons0.100)"
  ip link del pons0
  expect "repair" ponsctl repair
  is "after a repair" "9000 9000" "$(mtus pons0 pons0.100)"
  checked c1 c3
  del c3 c1
  nothing_left
}

the_example() {
  world; serve outside 80 outside
  network /payload/conf-examples/10-vlan.conflist
  before
  netns c1
  attach vlan c1 '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
  is "ADD" "0 " "$rc $err"
  serve c1 80 web
  is "out by masquerade" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "published port" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  has "show has the gateway's link" "pons11.100" "$(ponsctl show vlan)"
  verify vlan c1; is "CHECK" "0 " "$rc $err"
  detach vlan c1; is "DEL" "0 " "$rc $err"
  nothing_left
}

cases the_gateway_of_a_vlan an_egress_policy_of_an_access_port with_br_netfilter_and_a_dropping_firewall policies_are_those_of_the_vlan \
  the_gateways_link_has_the_mtu_of_the_bridge the_example
