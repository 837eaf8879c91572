# Sourced by every guest script; see ../README.md. In the guest: /payload/{pons,ponsctl,cnitool,conf-examples}, /opt/cni-*.
set -uo pipefail
BIN=/run/cni-bin # the plugin directory of cni() and cnitool: pons, and what "as" links

ok() { echo "ok    ${CASE:-}: $*"; }
bad() { local text="FAILED ${CASE:-}: $*"; echo "${text:0:1500}"; }
skip() { echo "skip  ${CASE:-}: $*"; }
one_line() { tr '\n' ' ' <<<"$1"; }
# is WHAT EXPECTED ACTUAL
is() { if [[ $2 == "$3" ]]; then ok "$1"; else bad "$1: expected \"$2\", got \"$(one_line "$3")\""; fi; }
# has WHAT REGEX TEXT
has() { if [[ $3 =~ $2 ]]; then ok "$1"; else bad "$1: no \"$2\" in: $(one_line "$3")"; fi; }
hasnt() { if [[ $3 =~ $2 ]]; then bad "$1: \"$2\" is in: $(one_line "$3")"; else ok "$1"; fi; }
# expect WHAT COMMAND...: it succeeds; its output is shown if not
expect() {
  local what=$1 said status=0
  shift
  said=$("$@" 2>&1) || status=$?
  if ((status == 0)); then ok "$what"; else bad "$what: \"$*\" ended with $status: $(one_line "$said")"; fi
}
# eventually COMMAND...: tries until it succeeds, for 10 s
eventually() {
  local try
  for try in {1..100}; do "$@" >/dev/null 2>&1 && return; sleep 0.1; done
  return 1
}
# kernel_is_at_least 6.8
kernel_is_at_least() { printf '%s\n' "$1" "$(uname -r)" | sort --version-sort --check=quiet; }

# --- network namespaces and the world outside
netns() { local name; for name; do ip netns add "$name" && ip -n "$name" link set lo up; done; }
# An outside host, 192.0.2.2 and 2001:db8:1::2, behind "uplink" with 192.0.2.1 and 2001:db8:1::1; it has no route to containers.
world() {
  netns outside
  ip link add uplink type veth peer name uplink netns outside
  ip addr add 192.0.2.1/24 dev uplink; ip addr add 2001:db8:1::1/64 dev uplink nodad; ip link set uplink up
  ip -n outside addr add 192.0.2.2/24 dev uplink; ip -n outside addr add 2001:db8:1::2/64 dev uplink nodad; ip -n outside link set uplink up
  ip route add default via 192.0.2.2; ip -6 route add default via 2001:db8:1::2
}
# in_ns NETNS COMMAND...; NETNS "host" is the (fake) host itself
in_ns() { if [[ $1 == host ]]; then shift; "$@"; else ip netns exec "$@"; fi; }
# pings NETNS ADDRESS: yes or no. A first answer may take a second for ARP and for modules.
pings() { in_ns "$1" ping -n -c 2 -i 0.3 -W "${WAIT:-2}" "$2" >/dev/null 2>&1 && echo yes || echo no; }
# serve NETNS PORT WORD [tcp|udp]: answers "WORD <address of the client>", IPv4 and IPv6, until the case ends
serve() {
  local kind=${4:-tcp} version
  for version in 4 6; do
    in_ns "$1" socat "${kind^^}$version-LISTEN:$2,fork,reuseaddr$([[ $version == 4 ]] || echo ,ipv6only=1)" \
      SYSTEM:"read line; echo $3 \$SOCAT_PEERADDR" 2>/dev/null &
  done
  eventually in_ns "$1" bash -c "(( \$(ss --no-header --listening --numeric --$kind | grep -c ':$2 ') == 2 ))" ||
    bad "serve: nothing listens on $kind port $2 of $1"
}
# ask NETNS ADDRESS PORT [tcp|udp]: what a server says; nothing if it does not answer within WAIT seconds (10; where no
# answer is expected: WAIT=1 ask ...)
ask() {
  in_ns "$1" timeout "${WAIT:-10}" bash -c 'exec 3<>"/dev/$0/$1/$2" && echo ask >&3 && head -n 1 <&3' "${4:-tcp}" "$2" "$3" 2>/dev/null |
    sed -E 's/\[|\]//g; /:/ { s/\b0{1,3}//g; s/(:0)+:/::/ }' # socat's IPv6 addresses have no "::"
}

# --- calls
# as NAME...: pons under the names of reference plugins, in $BIN
as() { local name; for name; do ln -sf pons "$BIN/$name"; done; }
# reference 1.1.1|1.9.1 NAME...: these plugins of the reference in $BIN (or all: BIN=/opt/cni-1.9.1)
reference() { local name; for name in "${@:2}"; do ln -sf "/opt/cni-$1/$name" "$BIN/$name"; done; }
# conf KEY=JSON...: network "demo", type pons, bridge pons0, subnet 10.42.0.0/24; KEY= (empty) leaves a key out
conf() {
  local text='{"cniVersion":"1.1.0","name":"demo","type":"pons","bridge":"pons0","ipam":{"subnet":"10.42.0.0/24"}}' pair
  for pair; do
    if [[ -z ${pair#*=} ]]; then text=$(jq -c --arg k "${pair%%=*}" 'del(.[$k])' <<<"$text")
    else text=$(jq -c --arg k "${pair%%=*}" --argjson v "${pair#*=}" '.[$k] = $v' <<<"$text"); fi
  done
  echo "$text"
}
# cni VERB CONTAINER [TYPE=pons]: the configuration on stdin (in a pipe as well); sets rc, out, err. The namespace is the
# container's name (NETNS=path: another), the interface eth0 (IFNAME=), the plugin directory $BIN. Of a process in a pipe: shopt -s lastpipe.
shopt -s lastpipe
cni() {
  rc=0
  out=$(CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=${NETNS-/run/netns/$2} CNI_IFNAME=${IFNAME-eth0} CNI_PATH=$BIN "$BIN/${3-pons}" 2>/run/err) || rc=$?
  err=$(</run/err)
}
code() { jq -r '.code // empty' <<<"$out" 2>/dev/null; }
# address [N=0]: the Nth address of the last result, without prefix length
address() { jq -r ".ips[${1:-0}].address // empty | sub(\"/.*\"; \"\")" <<<"$out"; }
prev() { jq -c --argjson p "$1" '.prevResult = $p'; } # adds a prevResult to the configuration on stdin
# add NETNS KEY=JSON...: makes it and adds conf() to it; then checked and del NETNS..., and check NETNS, which sets rc and out
add() {
  netns "$1"
  conf "${@:2}" >"/run/$1.conf"
  cni ADD "$1" <"/run/$1.conf"; is "ADD of $1" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"
  echo "$out" >"/run/$1.result"
}
check() { prev "$(<"/run/$1.result")" <"/run/$1.conf" | cni CHECK "$1"; }
checked() { local name; for name; do check "$name"; is "CHECK of $name" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"; done; }
del() { local name; for name; do cni DEL "$name" <"/run/$name.conf"; is "DEL of $name" "0 " "$rc $(jq -r '.msg // empty' <<<"$out")"; done; }
# network [FILE]: a list (stdin without FILE) becomes known to attach(), by its name
network() {
  local text
  text=$(cat ${1+"$1"}) && mkdir -p /run/net.d && echo "$text" >"/run/net.d/$(jq -r .name <<<"$text").conflist"
}
# attach, verify, detach NETWORK NETNS [CAPABILITIES-JSON]: ADD, CHECK, DEL of a list by cnitool; sets rc, out, err
cnitool() {
  rc=0
  out=$(CNI_PATH=$BIN NETCONFPATH=/run/net.d CAP_ARGS=${4-} CNI_IFNAME=${IFNAME-eth0} /payload/cnitool "$1" "$2" "/run/netns/$3" 2>/run/err) || rc=$?
  err=$(</run/err)
}
attach() { cnitool add "$@"; }
verify() { cnitool check "$@"; }
detach() { cnitool del "$@"; }
# What a plugin may change on the host, but not modules and counters, nor the operational state, which follows the carrier
# by up to a second
dump() {
  ip -o link | sed 's/^[0-9]*: //; s/@[^:]*//; s/ qlen [0-9]*//; s/ state [A-Z]*//'; ip -o addr show scope global | sed 's/^[0-9]*: //'
  ip route show table all | grep -v fe80; ip -6 route show table all | grep -v -e fe80 -e ff00; ip rule
  nft list ruleset 2>/dev/null | sed 's/packets [0-9]* bytes [0-9]*//'
  local save; for save in iptables-legacy-save ip6tables-legacy-save; do $save 2>/dev/null | grep '^-'; done
  head /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
  find /run/pons /var/lib/cni \( -type f -o -type l \) 2>/dev/null | grep -v -e counters -e '/lock$' -e results/ -e cache/ -e last_reserved_ip | sort
}
# before; ...; nothing_left [WHAT]: the dump is what it was
before() { dump >/run/before; }
nothing_left() {
  local left
  left=$(dump | diff /run/before - || :)
  if [[ -z $left ]]; then ok "${1:-nothing is left}"; else bad "${1:-nothing is left}: $(one_line "$left")"; fi
}

# --- VLANs
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
# range FIRST LAST: for add()
range() { echo "ipam={\"ranges\":[[{\"subnet\":\"10.42.0.0/24\",\"rangeStart\":\"10.42.0.$1\",\"rangeEnd\":\"10.42.0.$2\"}]]}"; }

# --- modules
network_modules() { lsmod | awk 'NR > 1 && $3 == 0 && /^(nft?_|ip_|ip6_|ipt_|ip6t_|xt_|x_tables|iptable_|ip6table_|ebt|arp|br_|bridge|stp|llc|veth|ifb|8021q|garp|mrp|sch_|act_|cls_|dummy|nfnetlink|macvlan|ipvlan|vxlan|tun)/ { print $1 }'; }
# fresh_modules: unloads all network modules. Namespaces of earlier cases are removed behind: it waits for them.
fresh_modules() {
  local left try
  for try in {1..100}; do
    left=$(network_modules)
    [[ $left ]] || break
    rmmod $left 2>/dev/null || sleep 0.2
  done
  left=$(lsmod | grep -E "^($(echo "nf_tables bridge veth ip_tables ${*}" | tr ' ' '|')) ")
  is "network modules are unloaded" "" "$left"
}
# without MODULE...: not loaded, and not to be loaded
without() {
  local module
  fresh_modules "$@"
  for module; do
    ! grep -q "/$module\.ko" "/lib/modules/$(uname -r)/modules.builtin" || bad "without $module: it is built into this kernel"
    echo "install $module /bin/false"
  done >/etc/modprobe.d/without.conf
}

# --- cases
fake_host() {
  { mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t cgroup2 cgroup2 /sys/fs/cgroup; } 2>/dev/null # machine_cases have them
  mount -t tmpfs -o mode=755 tmpfs /run; mount -t tmpfs tmpfs /var/lib/cni; mkdir -p /run/netns "$BIN"
  cp /payload/pons /payload/ponsctl "$BIN"/; ip link set lo up; cd /run
  PATH=$BIN:$PATH
}
run_case() {
  local status=0 start=$SECONDS limit=$((${CASE_SECONDS:-300} * $(</payload/patience)))
  CASE=$1 timeout -k 5 "$limit" unshare --mount --propagation private "${@:2}" bash "$0" </dev/null || status=$?
  ((status == 0)) || { CASE=$1; bad "ended with status $status (124: took more than $limit s)"; unset CASE; }
  echo "time  $1: $((SECONDS - start)) s"
}
# cases NAME...: runs these functions, each in a fake host; machine_cases: in the guest's own network and processes
cases() {
  if [[ ${CASE-} ]]; then
    for_case "$@"; return
  fi
  local name
  for name; do wanted "$name" && run_case "$name" --net --pid --fork --kill-child; done
  without_none
}
machine_cases() {
  if [[ ${CASE-} ]]; then
    for_case "$@"; return
  fi
  local name
  for name; do wanted "$name" && run_case "$name"; done
  without_none
}
wanted() { [[ -z ${PONS_GUEST_CASES-} || $PONS_GUEST_CASES == yes || " $PONS_GUEST_CASES " == *" $1 "* ]]; }
without_none() { rm -f /etc/modprobe.d/without.conf; }
for_case() { # the inner process: its case, if it is among these
  [[ " $* " == *" $CASE "* ]] || return 0
  fake_host
  "$CASE"
  kill $(jobs -p) 2>/dev/null
  exit 0
}
