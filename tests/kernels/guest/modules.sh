#!/bin/bash
# How the kernel's modules are loaded: how often the first ADD lets the kernel call modprobe, and that looking loads none.
# kernels: all
# default: first_add_of_a_boot
# seconds: 400
source ./lib.sh
WAIT=8
LOG=/etc/modprobe-calls # not below /run: the kernel calls modprobe in the first mount namespace

# From here on each call of modprobe by the kernel is a line of $LOG.
count_calls() {
  printf '#!/bin/sh\necho "$@" >>%s\nexec /sbin/modprobe "$@"\n' $LOG >/etc/modprobe-counted
  chmod 755 /etc/modprobe-counted
  : >$LOG
  echo /etc/modprobe-counted >/proc/sys/kernel/modprobe
}
count_no_more() { echo /sbin/modprobe >/proc/sys/kernel/modprobe; }
calls() { wc -l <$LOG; }
at_most() { if (($3 <= $2)); then ok "$1: $3"; else bad "$1: $3, expected at most $2: $(sort $LOG | uniq -c | tr '\n' ';')"; fi; }
ports() { conf runtimeConfig='{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":5353,"containerPort":53,"protocol":"udp"}]}'; }

# In one transaction, as pons once did it, these were 49 (6.12) to 78 (5.10).
first_add_of_a_boot() {
  fresh_modules
  netns c1 c2
  count_calls
  conf | cni ADD c1; is "ADD" 0 $rc
  at_most "calls of modprobe, masquerade and guard" 20 "$(calls)"
  ports | cni ADD c2; is "ADD with ports" 0 $rc
  at_most "calls with ports after it" 35 "$(calls)"
  count_no_more
}
first_add_with_ports() {
  fresh_modules
  netns c1
  count_calls
  ports | cni ADD c1; is "ADD" 0 $rc
  at_most "calls of modprobe" 32 "$(calls)"
  ports | prev "$out" | cni CHECK c1; is "CHECK" 0 $rc
  count_no_more
}

loaded_at_boot() {
  fresh_modules
  netns c1
  expect "the package's list" modprobe --all $(grep -v '^#' /payload/scripts/modules/modules-load.conf)
  count_calls
  ports | cni ADD c1; is "ADD" 0 $rc
  at_most "calls of modprobe" 4 "$(calls)" # nft_counter, below 5.17
  count_no_more
}

doctor_loads_nothing() {
  fresh_modules
  local modules links
  modules=$(lsmod | awk '{ print $1 }' | sort) links=$(ip -o link | cut -d: -f2)
  count_calls
  mkdir -p /run/net.d && conf >/run/net.d/10-demo.conf
  out=$(ponsctl doctor --config-dir /run/net.d 2>&1)
  is "calls of modprobe" "" "$(sort $LOG | uniq -c)"
  count_no_more
  is "modules" "$modules" "$(lsmod | awk '{ print $1 }' | sort)"
  is "links" "$links" "$(ip -o link | cut -d: -f2)"
  has "what is not loaded" "not loaded: .*(bridge|nf_tables)" "$(one_line "$out")"
  hasnt "ifb, which nobody needs" "ifb" "$out"
}

rates='{"ingressRate":8000000,"ingressBurst":80000,"egressRate":4000000,"egressBurst":80000}'
limits_leave_no_links() {
  fresh_modules
  netns limited
  conf runtimeConfig="{\"bandwidth\":$rates}" | cni ADD limited; is "ADD" 0 $rc
  has "ifb of the container" pons "$(ip -o link show type ifb)"
  hasnt "links of the module" " ifb[01]:" "$(ip -o link)"
  conf runtimeConfig="{\"bandwidth\":$rates}" | cni DEL limited; is "DEL" 0 $rc
  is "ifb links" "" "$(ip -o link show type ifb)"
  ip netns del limited
}
links_of_others_stay() {
  fresh_modules
  netns limited
  modprobe ifb numifbs=1
  conf runtimeConfig="{\"bandwidth\":$rates}" | cni ADD limited; is "ADD" 0 $rc
  conf runtimeConfig="{\"bandwidth\":$rates}" | cni DEL limited; is "DEL" 0 $rc
  has "the administrator's link" " ifb0:" "$(ip -o link)"
  ip netns del limited; ip link del ifb0
}

cases first_add_of_a_boot first_add_with_ports loaded_at_boot
machine_cases doctor_loads_nothing limits_leave_no_links links_of_others_stay
