#!/bin/bash
# pons under the names of the reference plugins, as scripts/install links them: the lists of podman and of Kubernetes, and in a
# chain with plugins of the reference.
# kernels: all
# seconds: 900
source ./lib.sh

serve_all() { world; serve outside 80 outside; /payload/scripts/install --binary /payload/pons "$BIN" >/dev/null; }
# add, del LIST-NAME NETNS [CAPABILITIES]
add() { attach "$@"; is "ADD of $2" "0 " "$rc $err"; }
del() { verify "$@"; is "CHECK of $2" "0 " "$rc $err"; detach "$@"; is "DEL of $2" "0 " "$rc $err"; }

podman() {
  serve_all
  network <<'JSON'
{"cniVersion": "0.4.0", "name": "podman", "plugins": [
  {"type": "bridge", "bridge": "cni-podman0", "isGateway": true, "ipMasq": true, "hairpinMode": true,
   "ipam": {"type": "host-local", "routes": [{"dst": "0.0.0.0/0"}], "ranges": [[{"subnet": "10.88.0.0/16", "gateway": "10.88.0.1"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "firewall"}, {"type": "tuning"}]}
JSON
  local ports='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}, {"hostPort": 5353, "containerPort": 53, "protocol": "udp"}]}'
  before
  netns c1 c2
  add podman c1 "$ports"; add podman c2
  serve c1 80 web; serve c1 53 dns udp
  is "way out" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "published TCP port" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
  is "published UDP port" "dns 192.0.2.2" "$(ask outside 192.0.2.1 5353 udp)"
  has "hairpin" "^web" "$(ask c1 192.0.2.1 8080)"
  has "the neighbour at the published port" "^web" "$(ask c2 192.0.2.1 8080)"
  has "from the host at 127.0.0.1" "^web" "$(ask host 127.0.0.1 8080)"
  del podman c1 "$ports"; del podman c2
  ip link del cni-podman0 2>/dev/null # the reference's bridge plugin leaves it, and so does pons under its name
  nothing_left
}

kubernetes() {
  serve_all
  network <<'JSON'
{"cniVersion": "1.0.0", "name": "k8s", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "ipMasq": true, "hairpinMode": true, "mtu": 1400,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "10.244.0.0/24"}], [{"subnet": "fd00:244::/64"}]]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}, {"type": "bandwidth", "capabilities": {"bandwidth": true}},
  {"type": "tuning", "sysctl": {"net.ipv4.conf.IFNAME.arp_filter": "1"}, "capabilities": {"mac": true}}]}
JSON
  local capabilities='{"portMappings": [{"hostPort": 8443, "containerPort": 443, "protocol": "tcp"}], "mac": "02:aa:bb:cc:dd:ee",
    "bandwidth": {"ingressRate": 80000000, "ingressBurst": 800000, "egressRate": 80000000, "egressBurst": 800000}}'
  before
  netns c1
  add k8s c1 "$capabilities"
  serve c1 443 api
  is "way out, IPv4" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  is "way out, IPv6" "outside 2001:db8:1::1" "$(ask c1 2001:db8:1::2 80)"
  is "published port, IPv4" "api 192.0.2.2" "$(ask outside 192.0.2.1 8443)"
  is "published port, IPv6" "api 2001:db8:1::2" "$(ask outside 2001:db8:1::1 8443)"
  has "MTU and MAC address" "mtu 1400.*02:aa:bb:cc:dd:ee" "$(one_line "$(ip -n c1 link show eth0)")"
  is "sysctl" 1 "$(in_ns c1 cat /proc/sys/net/ipv4/conf/eth0/arp_filter)"
  del k8s c1 "$capabilities"
  ip link del cni0 2>/dev/null
  nothing_left
}

static_and_loopback() {
  serve_all
  network <<'JSON'
{"cniVersion": "1.0.0", "name": "fixed", "plugins": [
  {"type": "bridge", "bridge": "br7", "isGateway": true, "ipMasq": true, "macspoofchk": true,
   "ipam": {"type": "static", "addresses": [{"address": "10.7.0.7/24", "gateway": "10.7.0.1"}], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "firewall", "ingressPolicy": "same-bridge"}]}
JSON
  network <<<'{"cniVersion": "1.0.0", "name": "lo", "plugins": [{"type": "loopback"}]}'
  before
  ip netns add c1
  IFNAME=lo add lo c1
  has "lo is up" "LOOPBACK,UP" "$(ip -n c1 link show lo)"
  add fixed c1
  is "the address" 10.7.0.7 "$(address)"
  is "way out" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  ip -n c1 link set eth0 address 02:00:00:00:00:99
  is "another MAC address is dropped" no "$(WAIT=1 pings c1 10.7.0.1)"
  detach fixed c1; is "DEL" "0 " "$rc $err"
  IFNAME=lo del lo c1
  ip link del br7 2>/dev/null
  nothing_left
}

# The bridge is the reference's, the rest pons; and pons' bridge with the reference's host-local and tuning.
foreign_plugins() {
  local version
  serve_all
  for version in 1.1.1 1.9.1; do
    reference $version bridge
    network <<<'{"cniVersion": "1.0.0", "name": "mixed", "plugins": [{"type": "bridge", "bridge": "mixed0", "isGateway": true, "hairpinMode": true,
      "ipam": {"type": "host-local", "subnet": "10.9.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "portmap", "snat": true, "capabilities": {"portMappings": true}}]}'
    netns "c$version"
    local ports='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
    add mixed "c$version" "$ports"
    serve "c$version" 80 web
    is "published port with bridge $version" "web 192.0.2.2" "$(ask outside 192.0.2.1 8080)"
    del mixed "c$version" "$ports"
    as bridge; reference $version host-local tuning
    network <<<'{"cniVersion": "1.0.0", "name": "other", "plugins": [{"type": "bridge", "bridge": "other0", "isGateway": true, "ipMasq": true,
      "ipam": {"type": "host-local", "subnet": "10.10.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "tuning", "mtu": 1300}]}'
    netns "d$version"
    add other "d$version"
    is "way out with host-local and tuning $version" "outside 192.0.2.1" "$(ask "d$version" 192.0.2.2 80)"
    has "MTU of tuning $version" "mtu 1300" "$(ip -n "d$version" link show eth0)"
    del other "d$version"
    as host-local tuning
  done
}

# What the reference plugins made, pons removes: the container was started before pons was installed.
takeover() {
  world; serve outside 80 outside
  network <<<'{"cniVersion": "1.0.0", "name": "old", "plugins": [{"type": "bridge", "bridge": "old0", "isGateway": true, "ipMasq": true,
    "ipam": {"type": "host-local", "subnet": "10.11.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}, {"type": "portmap", "capabilities": {"portMappings": true}}]}'
  local ports='{"portMappings": [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp"}]}'
  netns c1
  BIN=/opt/cni-1.1.1 add old c1 "$ports"
  is "way out by the reference" "outside 192.0.2.1" "$(ask c1 192.0.2.2 80)"
  as bridge host-local portmap
  detach old c1 "$ports"; is "DEL" "0 " "$rc $err"
  hasnt "masquerade and port are removed" "10\.11\.0\.|8080" "$(iptables-save; nft list ruleset)"
  is "the address is free" "" "$(find /var/lib/cni/networks/old -name '10.*')"
  is "the link is removed" "" "$(ip -o link show master old0)"
}

cases podman kubernetes static_and_loopback foreign_plugins takeover
