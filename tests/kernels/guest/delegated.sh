#!/bin/bash
# What makes pons run programs: IPAM plugins of others, and iptables-legacy on a host that filters with it; and forwarding
# on hosts whose firewalls drop forwarded packets.
# kernels: all
# default: foreign_ipam legacy_drop
# seconds: 900
source ./lib.sh

foreign_ipam() {
  world; serve outside 80 outside
  cat >"$BIN/myipam" <<'PROGRAM'
#!/bin/bash
cat >/dev/null
echo "$CNI_COMMAND $CNI_CONTAINERID" >>/run/calls
[[ $CNI_COMMAND != ADD ]] || echo '{"cniVersion": "1.1.0", "ips": [{"address": "10.12.0.9/24", "gateway": "10.12.0.1"}], "routes": [{"dst": "0.0.0.0/0"}]}'
PROGRAM
  chmod +x "$BIN/myipam"
  before
  netns c1
  conf 'ipam={"type": "myipam"}' | cni ADD c1
  is "ADD" 0 "$rc"; is "the address is the program's" 10.12.0.9 "$(address)"
  is "way out" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  conf 'ipam={"type": "myipam"}' | prev "$out" | cni CHECK c1; is "CHECK" "0 " "$rc $out"
  conf 'ipam={"type": "myipam"}' | cni DEL c1; is "DEL" "0 " "$rc $out"
  is "the program was asked to add, check and delete" "ADD c1 CHECK c1 DEL c1 " "$(one_line "$(uniq /run/calls)")"
  nothing_left
}

failing_ipam() {
  printf '#!/bin/bash\ncat >/dev/null\n[[ $CNI_COMMAND == DEL ]] || { echo \x27{"cniVersion": "1.1.0", "code": 120, "msg": "no address today"}\x27; exit 1; }\n' >"$BIN/myipam"
  chmod +x "$BIN/myipam"
  before
  netns c1
  conf 'ipam={"type": "myipam"}' | cni ADD c1
  is "its code is passed on" 120 "$(code)"; has "and its message" "no address today" "$out"
  conf 'ipam={"type": "myipam"}' | cni DEL c1; is "DEL" "0 " "$rc $out"
  nothing_left
}

# behind WHAT: two containers of a dual-stack network on a host whose firewall is there already
behind() {
  world; serve outside 80 outside
  network /payload/conf-examples/10-dual-stack.conflist
  before
  netns c1 c2
  attach dual-stack c1 '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'; is "$1: ADD" "0 " "$rc $err"
  local first=$(address 0)
  attach dual-stack c2; is "$1: ADD of the second" "0 " "$rc $err"
  serve c1 80 web
  is "$1: IPv4 goes out" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "$1: IPv6 goes out" "outside 2001:db8:1::1" "$(ask c2 2001:db8:1::2 80)"
  is "$1: published port, IPv4" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  is "$1: published port, IPv6" "web 2001:db8:1::2" "$(ask outside 2001:db8:1::1 8080)"
  has "$1: a neighbour is reached" "^web" "$(ask c2 "$first" 80)"
  ip -n outside route add 10.43.0.0/24 via 192.0.2.1
  is "$1: straight to the container is still dropped" "" "$(WAIT=1 ask outside "$first" 80)"
  verify dual-stack c1; is "$1: CHECK" "0 " "$rc $err"
  has "$1: doctor" '"verdict"' "$(ponsctl doctor --json)"
  hasnt "$1: doctor finds no fault in the firewall" '"fault","firewall"' "$(ponsctl doctor --json | jq -c '.diagnoses[] | [.verdict, .area]' | tr -d ' ')"
  detach dual-stack c1; is "$1: DEL" "0 " "$rc $err"
  detach dual-stack c2; is "$1: DEL of the last" "0 " "$rc $err"
  nothing_left "$1: nothing is left"
}
drop_with() {
  local program
  for program; do
    expect "firewall" "$program" -P FORWARD DROP
    expect "firewall" "$program" -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
  done
}
legacy_drop() { drop_with iptables-legacy ip6tables-legacy; behind legacy; }
iptables_nft_drop() { drop_with iptables-nft ip6tables-nft; behind iptables-nft; }
nft_drop() {
  expect "firewall" nft 'table inet filter {
    chain forward {
      type filter hook forward priority 0; policy drop;
      ct state established,related accept
    }
  }'
  behind nft
}
# With br_netfilter the traffic of neighbours passes the forward chains as well.
with_bridge_netfilter() { modprobe br_netfilter; echo 1 | tee /proc/sys/net/bridge/bridge-nf-call-ip{,6}tables >/dev/null; "$1"; }
legacy_drop_bridged() { with_bridge_netfilter legacy_drop; }
iptables_nft_drop_bridged() { with_bridge_netfilter iptables_nft_drop; }
nft_drop_bridged() { with_bridge_netfilter nft_drop; }

# A table that a mere look made: without rules and with the policy ACCEPT.
legacy_table_after_the_add() {
  world; netns c1
  conf | cni ADD c1; is "ADD" 0 "$rc"
  local result=$out
  iptables-legacy -L -n >/dev/null; ip6tables-legacy -L -n >/dev/null
  conf | prev "$result" | cni CHECK c1; is "CHECK" "0 " "$rc $out"
  expect "check" ponsctl check
  expect "repair" ponsctl repair
  hasnt "doctor can read the table" "that program alone can read" "$(ponsctl doctor)"
  conf | cni DEL c1; is "DEL of the last container" "0 " "$rc $out"
  is "gc finds nothing" 0 "$(ponsctl gc --json | jq '.leftovers | length')"
}

cases foreign_ipam failing_ipam legacy_drop iptables_nft_drop nft_drop legacy_table_after_the_add \
  legacy_drop_bridged iptables_nft_drop_bridged nft_drop_bridged
