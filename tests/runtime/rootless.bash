#!/bin/bash
# What a rootless runtime does with pons. Runs as root of a user namespace, in network and mount namespaces of that one:
#   rootless.bash DIRECTORY unshare      the namespaces of unshare(1): no way out, and /run cannot be written; both are made here
#   rootless.bash DIRECTORY slirp        those of rootlesskit with slirp4netns; 192.0.2.2, port 80, answers "web ..."
# DIRECTORY has the program pons. Prints "ok ..." or "FAILED ..." for each assertion.
set -uo pipefail
bin=$1 kind=$2 failed=0
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT

ok() { echo "ok    ${CASE-}: $*"; }
bad() { echo "FAILED ${CASE-}: $*"; failed=1; }
is() { if [[ $2 == "$3" ]]; then ok "$1"; else bad "$1: expected \"$2\", got \"$3\""; fi; }
has() { if [[ $3 == *"$2"* ]]; then ok "$1"; else bad "$1: no \"$2\" in \"$3\""; fi; }

# conf [KEY=JSON...]: with these keys more
conf() {
  local text='{"cniVersion": "1.1.0", "name": "demo", "type": "pons", "ipam": {"ranges": [[{"subnet": "10.43.0.0/24"}], [{"subnet": "fd00:43::/64"}]]}}' pair
  for pair; do text=$(jq -c --arg k "${pair%%=*}" --argjson v "${pair#*=}" '.[$k] = $v' <<<"$text"); done
  echo "$text"
}
# call VERB CONTAINER [KEY=JSON...]: sets rc, and out (with what is on standard error)
call() {
  rc=0
  out=$(conf "${@:3}" | CNI_COMMAND=$1 CNI_CONTAINERID=$2 CNI_NETNS=${netns-/run/netns/$2} CNI_IFNAME=eth0 CNI_PATH=$bin "$bin/pons" 2>&1) || rc=$?
}
# add CONTAINER [KEY=JSON...]: ADD, which has to succeed
add() { call ADD "$@"; is "$round: ADD of $1" 0 "$rc"; ((rc == 0)) || echo "$out"; results[$1]=$out; }
del() { call DEL "$1"; is "$round: DEL of $1" "0 " "$rc $out"; }
address() { jq -r ".ips[$2].address | sub(\"/.*\"; \"\")" <<<"${results[$1]}"; }
# ask NETNS ADDRESS PORT: the first word of the answer
ask() {
  local command=(timeout 8 socat -u -T3 "TCP:$2:$3,connect-timeout=3" -) answer
  [[ $1 == here ]] || command=(ip netns exec "$1" "${command[@]}")
  answer=$("${command[@]}" 2>/dev/null)
  echo "${answer%% *}"
}
# serve NETNS PORT WORD: at IPv4 and IPv6
serve() {
  ip netns exec "$1" socat "TCP6-LISTEN:$2,fork,reuseaddr" SYSTEM:"echo $3 to \$SOCAT_PEERADDR" &
  server=$!
  local try
  for try in {1..100}; do ip netns exec "$1" ss -Hltn | grep -q ":$2 " && return; sleep 0.05; done
  bad "nothing listens on port $2 of $1"
}
# What pons may change
dump() {
  ip -o link | sed 's/^[0-9]*: //; s/@[^:]*//'; ip -o addr show scope global | sed 's/^[0-9]*: //'
  nft list ruleset; iptables-legacy -S 2>/dev/null; ip6tables-legacy -S 2>/dev/null
  head /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding
  find /run/pons \( -type f -o -type l \) 2>/dev/null | grep -v -e counters -e '/lock$'
}

without_a_writable_run() {
  local round="without a writable /run"
  unshare --net sleep 1000 &
  local sleeper=$! netns try
  netns=/proc/$sleeper/ns/net
  for try in {1..100}; do [[ $(readlink "$netns") == "$(readlink /proc/self/ns/net)" ]] || break; sleep 0.05; done
  call ADD c0
  is "$round: ADD fails" 1 "$rc"
  has "$round: the error has the remedy" 'set \"stateDir\", or PONS_STATE_DIR' "$out"
  call ADD c0 "stateDir=\"$work/state\""; is "$round: ADD with stateDir" 0 "$rc"
  call DEL c0 "stateDir=\"$work/state\""; is "$round: DEL with stateDir" "0 " "$rc $out"
  kill "$sleeper"
}

# An outside host as in the case of slirp, which here can reach this one as well
make_outside() {
  ip netns add outside; ip link add uplink type veth peer name uplink netns outside
  ip addr add 192.0.2.1/24 dev uplink; ip link set uplink up; ip route add default via 192.0.2.2
  ip -n outside addr add 192.0.2.2/24 dev uplink; ip -n outside link set uplink up; ip -n outside link set lo up
  serve outside 80 web
}

# round NAME [KEY=JSON...]: the life of two containers
round() {
  local round=$1 before name
  before=$(dump)
  ip netns add c1; ip netns add c2
  add c1 'runtimeConfig={"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}' "${@:2}"
  add c2 "${@:2}"
  serve c1 80 first
  is "$round: way out of c1" web "$(ask c1 192.0.2.2 80)"
  is "$round: way out of c2" web "$(ask c2 192.0.2.2 80)"
  is "$round: a neighbour, IPv4" first "$(ask c2 "$(address c1 0)" 80)"
  is "$round: a neighbour, IPv6" first "$(ask c2 "[$(address c1 1)]" 80)"
  is "$round: published port at 127.0.0.1" first "$(ask here 127.0.0.1 8080)"
  is "$round: published port at the address of the uplink" first "$(ask here "$uplink" 8080)"
  is "$round: published port, from the neighbour" first "$(ask c2 "$uplink" 8080)"
  [[ $kind == slirp ]] || is "$round: published port, from outside" first "$(ask outside "$uplink" 8080)"
  for name in c1 c2; do
    call CHECK $name "prevResult=${results[$name]}" "${@:2}"; is "$round: CHECK of $name" "0 " "$rc $out"
  done
  netns= call STATUS ""; is "$round: STATUS" "0 " "$rc $out"
  del c2; del c1; del c1
  add c1 "${@:2}"
  kill "$server"; wait "$server" 2>/dev/null
  ip netns del c1; ip netns del c2
  netns= call GC "" 'cni.dev/valid-attachments=[]'; is "$round: GC" "0" "$rc"
  is "$round: nothing is left" "$before" "$(dump)"
}

# The module is the host's: either it is there, or the error names it.
egress_policy() {
  local round="egress policy"
  ip netns add c3
  if [[ -e /proc/sys/net/bridge/bridge-nf-call-iptables ]]; then
    add c3 'egressPolicy={}'
    is "$round: no way out" "" "$(ask c3 192.0.2.2 80)"
  else
    call ADD c3 'egressPolicy={}'
    has "$round: the error names the module" br_netfilter "$out"
  fi
  del c3
  ip netns del c3
}

declare -A results=()
[[ $kind == slirp ]] || { without_a_writable_run; mount -t tmpfs -o mode=755 tmpfs /run; }
rm -f /run/netns; mkdir -p /run/netns # rootlesskit copied a link to the host's
ip link set lo up
[[ $kind == slirp ]] || make_outside
uplink=$(ip -4 route get 192.0.2.2 | sed -nE 's/.* src ([0-9.]+).*/\1/p')
round "the default configuration"
egress_policy
if iptables-legacy -P FORWARD DROP 2>/dev/null; then
  round "a host that drops by iptables-legacy, and limits" 'bandwidth={"ingressRate": 100000000, "ingressBurst": 1000000, "egressRate": 100000000, "egressBurst": 1000000}'
fi
exit $failed
