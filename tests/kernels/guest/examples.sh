#!/bin/bash
# Every file of conf-examples: ADD, CHECK and DEL by cnitool, with traffic; nothing is left behind.
# kernels: all
# default: dual_stack published_ports
# seconds: 900
source ./lib.sh

# begin NAME [CAPABILITIES]: container c1 is on the network of that example, and so may be others: join NETNS
begin() {
  example=$1 capabilities=${2-}
  world
  serve outside 80 outside
  network "/payload/conf-examples/10-$1.conflist"
  before
  join c1
  first=$(address)
}
join() {
  netns "$1"
  attach "$example" "$1" "$capabilities"
  is "ADD of $1" "0 " "$rc $err"
}
# end_all NETNS...: CHECK and DEL of all
end_all() {
  local name
  for name; do verify "$example" "$name" "$capabilities"; is "CHECK of $name" "0 " "$rc $err"; done
  for name; do detach "$example" "$name" "$capabilities"; is "DEL of $name" "0 " "$rc $err"; done
  nothing_left
}
out_by_masquerade() {
  is "IPv4 goes out masqueraded" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  [[ ${1-} != both ]] || is "IPv6 goes out masqueraded" "outside 2001:db8:1::1" "$(ask c1 2001:db8:1::2 80)"
}

minimal() {
  begin minimal; join c2
  out_by_masquerade
  serve c1 80 first
  is "a neighbour is reached" "first $(address)" "$(ask c2 "$first" 80)"
  end_all c1 c2
}

dual_stack() {
  begin dual-stack '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}, {"hostPort": 8080, "containerPort": 80, "protocol": "udp"}]}'
  out_by_masquerade both
  serve c1 80 web; serve c1 80 web udp
  local kind
  for kind in tcp udp; do
    is "published $kind port, IPv4" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080 $kind)"
    is "published $kind port, IPv6" "web 2001:db8:1::2" "$(ask outside 2001:db8:1::1 8080 $kind)"
    has "published $kind port at 127.0.0.1" "^web 10\.43\.0\." "$(ask host 127.0.0.1 8080 $kind)"
    has "hairpin $kind, IPv4" "^web 10\.43\.0\." "$(ask c1 192.0.2.1 8080 $kind)"
    has "hairpin $kind, IPv6" "^web fd00:43:" "$(ask c1 2001:db8:1::1 8080 $kind)"
  done
  capabilities= join c2
  has "a neighbour at the published port" "^web" "$(ask c2 192.0.2.1 8080)"
  end_all c1 c2
}

published_ports() {
  begin published-ports
  serve c1 80 web; serve c1 53 dns udp
  is "TCP" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  is "UDP" "dns 192.0.2.2" "$(ask outside 192.0.2.1 5353 udp)"
  has "from the host at 127.0.0.1" "^web" "$(ask host 127.0.0.1 8080)"
  has "from the host at its address" "^web" "$(ask host 192.0.2.1 8080)"
  has "hairpin" "^web" "$(ask c1 192.0.2.1 8080)"
  end_all c1
  is "after DEL nobody answers" "" "$(WAIT=1 ask outside 192.0.2.1 8080)"
}

host_address() {
  begin host-address
  serve c1 80 web
  has "at 127.0.0.1" "^web" "$(ask host 127.0.0.1 8080)"
  is "not at other addresses" "" "$(WAIT=1 ask outside 192.0.2.1 8080)"
  end_all c1
}

internal() {
  begin internal; join c2
  serve c1 80 first
  is "a neighbour is reached" "first $(address)" "$(ask c2 "$first" 80)"
  is "no way out" "" "$(WAIT=1 ask c1 192.0.2.2 80)"
  ip -n outside route add 10.50.0.0/24 via 192.0.2.1
  is "no way in" "" "$(WAIT=1 ask outside "$first" 80)"
  end_all c1 c2
}

masquerade_exclusions() {
  begin masquerade-exclusions
  ip -n outside addr add 10.99.0.2/32 dev lo; ip route add 10.99.0.0/24 via 192.0.2.2
  ip -n outside route add 10.47.0.0/24 via 192.0.2.1; ip -n outside route add fd00:47::/64 via 2001:db8:1::1
  out_by_masquerade
  is "an excluded destination sees the container" "outside $first" "$(ask c1 10.99.0.2 80)"
  has "IPv6 is not masqueraded" "^outside fd00:47:" "$(ask c1 2001:db8:1::2 80)"
  ip route del 10.99.0.0/24
  end_all c1
}

resolv_conf() {
  mkdir -p /run/rootfs/etc; echo "nameserver 192.0.2.1" >/run/rootfs/etc/resolv.conf
  begin resolv-conf '{"rootfs": "/run/rootfs"}'
  has "the container's file" "nameserver 192.0.2.53" "$(</run/rootfs/etc/resolv.conf)"
  out_by_masquerade
  end_all c1
  is "the file is as before" "nameserver 192.0.2.1" "$(</run/rootfs/etc/resolv.conf)"
}

resolv_conf_over_a_read_only_root() {
  mkdir -p /run/rootfs/etc; echo "nameserver 192.0.2.1" >/run/rootfs/etc/resolv.conf
  mount --bind /run/rootfs /run/rootfs && mount -o remount,bind,ro /run/rootfs
  begin resolv-conf '{"rootfs": "/run/rootfs"}'
  has "the container's file" "nameserver 192.0.2.53" "$(</run/rootfs/etc/resolv.conf)"
  is "it is read-only" "no" "$( (echo x >/run/rootfs/etc/resolv.conf) 2>/dev/null && echo yes || echo no)"
  end_all c1
  is "the file is as before" "nameserver 192.0.2.1" "$(</run/rootfs/etc/resolv.conf)"
}

several_hosts() {
  begin several-hosts '{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}], "bandwidth": {"ingressRate": 80000000, "ingressBurst": 800000}}'
  serve c1 80 web
  out_by_masquerade both
  is "published port" "web 2001:db8:1::2" "$(ask outside 2001:db8:1::1 8080)"
  end_all c1
}

static_address() {
  begin static-address '{"ips": ["10.46.0.12/24"], "mac": "02:11:22:33:44:55"}'
  is "the address" 10.46.0.12 "$first"
  has "the MAC address" "02:11:22:33:44:55" "$(ip -n c1 link show eth0)"
  out_by_masquerade
  end_all c1
}

# transfer FROM TO ADDRESS: milliseconds for 250,000 bytes
transfer() {
  local start
  in_ns "$2" socat -u TCP4-LISTEN:90,reuseaddr - >/run/received &
  eventually in_ns "$2" bash -c "ss -Hltn | grep -q ':90 '"
  start=$(date +%s%3N)
  head -c 250000 /dev/zero | in_ns "$1" socat -u - "TCP4:$3:90"
  wait $!
  [[ $(stat -c %s /run/received) == 250000 ]] || bad "250,000 bytes from $1 to $2"
  echo $(($(date +%s%3N) - start))
}
bandwidth() {
  begin bandwidth '{"bandwidth": {"ingressRate": 8000000, "ingressBurst": 400000, "egressRate": 4000000, "egressBurst": 400000}}'
  local to from
  to=$(transfer host c1 "$first") from=$(transfer c1 outside 192.0.2.2)
  # 2 Mbit, of which the burst of 0.4 passes at once: at least 200 and 400 ms. How much longer depends on the emulation.
  expect "8 Mbit/s to the container ($to ms)" test "$to" -ge 180
  expect "4 Mbit/s from the container ($from ms)" test "$from" -ge 360
  end_all c1
}

egress_policy_needs_br_netfilter() {
  fresh_modules br_netfilter
  world; netns c1
  network /payload/conf-examples/10-egress-policy.conflist
  before
  attach egress-policy c1
  has "ADD is refused" "^1 .*br_netfilter" "$rc $err"
  nothing_left
}

egress_policy() {
  modprobe br_netfilter
  begin egress-policy; join c2
  ip -n outside addr add 198.51.100.2/32 dev lo; ip -n outside addr add 192.0.2.53/24 dev uplink; ip -n outside addr add 2001:db8:9::2/128 dev lo nodad
  serve outside 53 dns; serve c1 80 first
  out_by_masquerade both
  is "another destination is denied" "" "$(WAIT=1 ask c1 198.51.100.2 80)"
  is "IPv6 as well" "" "$(WAIT=1 ask c1 2001:db8:9::2 80)"
  is "the nameserver is allowed" "dns 192.0.2.1" "$(ask c1 192.0.2.53 53)"
  has "a neighbour in the list is allowed" "^first" "$(ask c2 "$first" 80)"
  has "denied connections are counted" 'egressDenied' "$(ponsctl show --json egress-policy)"
  has "and logged" "198.51.100.2" "$(dmesg | grep -F 'DST=198.51.100.2' | tail -n 1)"
  end_all c1 c2
}

cases minimal dual_stack published_ports host_address internal masquerade_exclusions resolv_conf resolv_conf_over_a_read_only_root \
  several_hosts static_address bandwidth egress_policy_needs_br_netfilter egress_policy
