#!/bin/bash
# VLANs: access ports, trunks, the gateway's link, what goes with them and what is left; beside the reference plugins.
# kernels: all
# seconds: 600
source ./lib.sh

gateway_of='{"ranges":[[{"subnet":"10.42.0.0/24"}],[{"subnet":"fd42::/64"}]]}'
# port NETNS: the other end of its eth0
port() {
  local index
  index=$(ip -n "$1" -j link show eth0 | jq '.[0].link_index')
  ip -j link | jq -r ".[] | select(.ifindex == $index and (.linkinfo // 0) == 0).ifname"
}
bridge() { /sbin/bridge "$@"; } # not the plugin of that name in $BIN
# vlans LINK: "1 Egress Untagged, 100 PVID Egress Untagged"
vlans() {
  bridge -compressvlans -json vlan show dev "$1" | jq -r '[.[0].vlans // [] | .[] |
    "\(.vlan)\(if .vlanEnd then "-\(.vlanEnd)" else "" end)\(.flags // [] | map(" " + .) | join(""))"] | join(", ")'
}
filtering() { ip -d -j link show "$1" | jq -r '.[0].linkinfo.info_data.vlan_filtering'; }
# add NETNS KEY=JSON...; then checked and del NETNS...
add() { netns "$1"; conf "${@:2}" >"/run/$1.conf"; cni ADD "$1" <"/run/$1.conf"; is "ADD of $1" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"; echo "$out" >"/run/$1.result"; }
check() { prev "$(<"/run/$1.result")" <"/run/$1.conf" | cni CHECK "$1"; }
checked() { local name; for name; do check "$name"; is "CHECK of $name" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"; done; }
del() { local name; for name; do cni DEL "$name" <"/run/$name.conf"; is "DEL of $name" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"; done; }
range() { echo "ipam={\"ranges\":[[{\"subnet\":\"10.42.0.0/24\",\"rangeStart\":\"10.42.0.$1\",\"rangeEnd\":\"10.42.0.$2\"}]]}"; }

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
  checked c1 c2 c3 c4 c5
  del c5 c4 c3 c1 c2
  nothing_left
}

check_and_repair() {
  before
  add c1 vlan=100; add c2 vlan=100 preserveDefaultVlan=true; add c3 name='"trunk"' 'vlanTrunk=[{"minID":5,"maxID":9}]' ipam='{}'
  local damage part name
  part=$(port c1)
  for damage in "bridge vlan del dev $part vid 100" "bridge vlan add dev $part vid 7" "bridge vlan add dev $part vid 100" \
    "bridge vlan del dev pons0 vid 100 self" "ip link set pons0 type bridge vlan_filtering 0" "ip link del pons0.100" \
    "ip link set pons0.100 down" "ip addr del 10.42.0.1/24 dev pons0.100" "ip link set $part nomaster" "ip link del pons0"; do
    expect "$damage" $damage
    check c1
    is "CHECK fails after $damage" yes "$( ((rc != 0)) && echo yes || echo no)"
    expect "repair after $damage" ponsctl repair
    checked c1 c2 c3
    is "the port after $damage" "100 PVID Egress Untagged" "$(vlans "$part")"
  done
  is "the gateway" yes "$(pings c1 10.42.0.1)"
  bridge vlan del dev "$(port c3)" vid 7
  check c3
  is "CHECK of the trunk fails" yes "$( ((rc != 0)) && echo yes || echo no)"
  expect "repair of the trunk" ponsctl repair
  is "the trunk" "1 PVID Egress Untagged, 5-9" "$(vlans "$(port c3)")"
  del c3 c2 c1
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

large_frames() {
  before
  add c1 vlan=100 mtu=9000
  is "the gateway's link has the bridge's MTU" "9000 9000" "$(ip -j link show pons0 | jq .[0].mtu) $(ip -j link show pons0.100 | jq .[0].mtu)"
  is "frames of that size" yes "$(in_ns c1 ping -n -c 1 -M do -s 8900 10.42.0.1 >/dev/null 2>&1 && echo yes || echo no)"
  del c1
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

# made_port NAME NUMBER SUBNET KEY=JSON...: the VLANs of a port that the plugin "bridge" in $BIN makes, in /run/NAMENUMBER.port
made_port() {
  local name=$1$2
  netns "$name"
  conf cniVersion='"1.0.0"' type='"bridge"' name="\"$name\"" bridge="\"$name\"" ipam="{\"type\":\"host-local\",\"subnet\":\"10.$3.0.0/24\"}" "${@:4}" >"/run/$name.conf"
  cni ADD "$name" bridge <"/run/$name.conf"
  is "ADD by $name" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"
  vlans "$(port "$name")" >"/run/$name.port"
  has "the port of $name is in a VLAN" "[0-9]" "$(<"/run/$name.port")"
}
beside_the_reference() {
  local version subnet=50 number=0 keys
  world; serve outside 80 outside
  as bridge host-local
  for version in 1.1.1 1.9.1; do
    for keys in "vlan=100" "vlan=1" "vlan=100 isGateway=true ipMasq=true isDefaultGateway=true" "vlan=100 preserveDefaultVlan=false" \
      "vlan=100 preserveDefaultVlan=true" 'vlanTrunk=[{"id":100},{"minID":200,"maxID":205}]' \
      'vlanTrunk=[{"id":100},{"id":1}] preserveDefaultVlan=false' 'vlanTrunk=[{"minID":7,"maxID":9}] preserveDefaultVlan=true' \
      'vlan=100 vlanTrunk=[{"id":200}]' 'vlan=100 vlanTrunk=[{"id":200}] preserveDefaultVlan=true' 'vlan=100 vlanTrunk=[{"id":100},{"id":7}]'; do
      [[ $version != 1.1.1 || ! $keys =~ preserve|Trunk ]] || continue # 1.1.1 ignores them
      number=$((number + 1))
      BIN=/opt/cni-$version made_port ref $number $((subnet++)) $keys
      # Before 1.8 the default was to preserve it.
      made_port own $number $((subnet++)) $keys $([[ $version == 1.9.1 ]] || echo preserveDefaultVlan=true)
      is "$version: the port with $keys" "$(<"/run/ref$number.port")" "$(<"/run/own$number.port")"
      is "$version: filtering with $keys" "$(filtering ref$number)" "$(filtering own$number)"
      if [[ $keys == *isGateway* ]]; then
        is "$version: links in the result" 4 "$(jq -r '.interfaces | length' <<<"$out")"
        is "$version: out" "outside 192.0.2.1 outside 192.0.2.1" "$(ask ref$number 192.0.2.2 80) $(ask own$number 192.0.2.2 80)"
        is "$version: the gateway's link" "own$number.100" "$(jq -r '.interfaces[-1].name' <<<"$out")"
      fi
      cni DEL own$number bridge <"/run/own$number.conf"
      BIN=/opt/cni-$version cni DEL ref$number bridge <"/run/ref$number.conf"
    done
  done
}

# The reference has made the bridge and the gateway's link: pons joins them.
on_the_reference_bridge() {
  local version
  as bridge host-local
  for version in 1.1.1 1.9.1; do
    BIN=/opt/cni-$version made_port "r" "${version//./}" 60 vlan=100 isGateway=true
    netns "p$version"
    conf bridge="\"r${version//./}\"" vlan=100 ipam='{"ranges":[[{"subnet":"10.60.0.0/24","rangeStart":"10.60.0.100"}]]}' >"/run/p.conf"
    cni ADD "p$version" <"/run/p.conf"
    is "ADD on the bridge of $version" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"
    is "the reference's gateway" yes "$(pings "p$version" 10.60.0.1)"
    is "the reference's container" yes "$(pings "r${version//./}" "$(address)")"
    cni DEL "p$version" <"/run/p.conf"; is "DEL" 0 $rc
    is "the reference's link stays" yes "$(pings "r${version//./}" 10.60.0.1)"
    ip link del "r${version//./}.100"; ip link del "r${version//./}"
  done
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

cases containers_reach_their_vlan_only the_default_vlan_is_kept_or_not the_gateway_of_a_vlan a_trunk the_spoof_guard_inspects_tagged_frames \
  egress_policies_are_about_tagged_frames an_egress_policy_of_an_access_port with_br_netfilter_and_a_dropping_firewall policies_are_those_of_the_vlan \
  check_and_repair a_lost_container bridges_of_others a_bridge_that_gives_a_new_port_no_vlan the_bridges_own_vlan large_frames \
  beside_the_reference on_the_reference_bridge the_example without_vlan_links
