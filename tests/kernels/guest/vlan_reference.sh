#!/bin/bash
# VLANs beside the reference plugins, and on their bridges.
# kernels: all
# default: no
# seconds: 1200
source ./lib.sh

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
  # Its gateway is behind a port of the bridge: where a script before this one has loaded br_netfilter, its masquerade takes
  # the bridged packet, and finds no address at the port.
  [[ ! -e /proc/sys/net/bridge ]] || sysctl -qw net.bridge.bridge-nf-call-iptables=0
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

cases beside_the_reference on_the_reference_bridge
