#!/bin/bash
# ponsctl, and the life of an attachment apart from a plain ADD and DEL: killed calls, lost namespaces, many at once.
# kernels: all
# default: killed_add
# seconds: 900
source ./lib.sh

shown() { ponsctl "$@" 2>&1; }

commands() {
  world; netns c1 c2
  conf 'portMappings=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]' | cni ADD c1; is "ADD" 0 "$rc"
  conf | cni ADD c2; is "ADD" 0 "$rc"
  local address=$(address) command
  has "list" "c1.*8080.*c2.*$address|c2.*$address.*c1.*8080" "$(one_line "$(shown list --wide)")"
  is "list --json" "ok ok" "$(one_line "$(ponsctl list --json | jq -r '.attachments[].health')" | sed 's/ $//')"
  has "show" "$address" "$(shown show c2)"
  for command in list show\ c1 networks check doctor gc; do ponsctl $command --json 2>/run/err | expect "$command --json is JSON" jq -e .; done
  expect "check" ponsctl check
  has "metrics" "pons_" "$(shown metrics)"
  has "graph" "pons0" "$(shown graph)"
  has "explain" "subnet" "$(shown explain ipam.subnet)"
  conf | cni STATUS ""; is "STATUS" "0 " "$rc $out"
}

repair() {
  world; netns c1; serve outside 80 outside; serve c1 80 web
  conf 'portMappings=[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]' | cni ADD c1; is "ADD" 0 "$rc"
  local damage
  for damage in "nft flush ruleset" "nft delete table ip pons" "sysctl -qw net.ipv4.ip_forward=0" "ip addr flush dev pons0"; do
    $damage
    is "after \"$damage\" check finds it" 1 "$(ponsctl check >/dev/null 2>&1; echo $?)"
    expect "repair after \"$damage\"" ponsctl repair
    expect "check after repair of \"$damage\"" ponsctl check
    is "way out after repair of \"$damage\"" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
    is "published port after repair of \"$damage\"" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  done
}

# Killed at its first, fourth ... message to the kernel, until an ADD has no more of them.
killed_add() {
  netns c1
  conf | cni ADD c1; conf | cni DEL c1 # the modules are loaded
  before
  conf >/run/conf
  local count
  for count in {1..40..3}; do
    CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_NETNS=/run/netns/c1 CNI_IFNAME=eth0 CNI_PATH=$BIN setsid --fork --wait strace --output /dev/null \
      --inject "sendto,sendmsg:signal=KILL:when=$count" "$BIN/pons" </run/conf >/run/out 2>&1 && break
    if ((count % 2)); then
      conf | cni DEL c1; is "DEL after a kill at message $count" "0 " "$rc $out"
    else
      conf | cni ADD c1; is "ADD after a kill at message $count" 0 "$rc"
      conf | cni DEL c1; is "DEL after that ADD" 0 "$rc"
    fi
    nothing_left "nothing is left of an ADD killed at message $count"
  done
  expect "some were killed, the last was not ($count)" test "$count" -gt 4 -a "$count" -lt 40
  conf | cni DEL c1; is "DEL of the one that lived" "0 " "$rc $out"
  nothing_left
}

del_without_namespace() {
  before
  netns c1 c2 c3
  local name
  for name in c1 c2 c3; do conf "portMappings=[{\"hostPort\": 808${name#c}, \"containerPort\": 80, \"protocol\": \"tcp\"}]" | cni ADD $name; is "ADD $name" 0 "$rc"; done
  ip netns del c1; ip netns del c2; ip netns del c3
  conf | cni DEL c1; is "DEL" "0 " "$rc $out"
  conf | NETNS= cni DEL c2; is "DEL without CNI_NETNS" "0 " "$rc $out"
  conf 'cni.dev/valid-attachments=[]' | cni GC ""; is "GC" "0 " "$rc $out"
  conf | cni DEL c2; is "a second DEL" "0 " "$rc $out"
  nothing_left
}

garbage() {
  before
  netns c1
  conf | cni ADD c1; is "ADD" 0 "$rc"
  ip netns del c1
  expect "gc names the dead container" test "$(ponsctl gc --json | jq '[.leftovers[] | select(.container == "c1")] | length')" -ge 1
  expect "gc --delete" ponsctl gc --delete
  nothing_left
}

many_at_once() {
  world; serve outside 80 outside
  before
  netns c{1..8}
  local name running=()
  for name in c{1..8}; do
    (conf "portMappings=[{\"hostPort\": 900${name#c}, \"containerPort\": 80, \"protocol\": \"tcp\"}]" | cni ADD $name; echo "$rc" >"/run/rc.$name"; echo "$out" >"/run/out.$name") &
    running+=($!)
  done
  wait "${running[@]}"
  is "all are added" "0 0 0 0 0 0 0 0 " "$(one_line "$(cat /run/rc.c?)")"
  is "8 addresses" 8 "$(cat /run/out.c? | jq -r '.ips[0].address' | sort -u | wc -l)"
  serve c8 80 web
  is "way out of one" "outside 192.0.2.1" "$(ask c3 192.0.2.2 80)"
  is "published port of one" "web 192.0.2.2" "$(ask outside 192.0.2.1 9008)"
  expect "check" ponsctl check
  running=()
  for name in c{1..8}; do
    (conf | cni DEL $name; echo "$rc" >"/run/rc.$name") &
    running+=($!)
  done
  wait "${running[@]}"
  is "all are deleted" "0 0 0 0 0 0 0 0 " "$(one_line "$(cat /run/rc.c?)")"
  nothing_left
}

# In the guest's own network, as ifb.ko makes its two links there when it is loaded.
doctor_changes_nothing() {
  fresh_modules ifb
  local links=$(ip -br link)
  ponsctl doctor >/dev/null
  is "no link is left" "$links" "$(ip -br link)"
  hasnt "ifb is not loaded" "^ifb|[[:space:]]ifb" "$(lsmod | awk '{ print $1 }')"
}

cases commands repair killed_add del_without_namespace garbage many_at_once
machine_cases doctor_changes_nothing
