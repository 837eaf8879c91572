#!/bin/bash
# pons as root of a user namespace: made by unshare(1) before the network namespace or together with it, and by rootlesskit
# with slirp4netns. What is done there is in tests/runtime/rootless.bash.
# kernels: all
# default: network_in_a_user_namespace
# seconds: 900
source ./lib.sh

# A user without privileges, and what it may read and execute
prepare() {
  mount -t tmpfs -o mode=0755 tmpfs /mnt
  mkdir /mnt/bin
  install -m 755 /payload/pons /payload/rootless.bash /mnt/bin
  install -d -o 65534 /mnt/home /mnt/runtime
  sysctl -qw kernel.unprivileged_userns_clone=1 2>/dev/null # Debian's, below 6.x
}
as_user() { HOME=/mnt/home XDG_RUNTIME_DIR=/mnt/runtime setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
script() { as_user "${@:2}" /mnt/bin/rootless.bash /mnt/bin "$1" || bad "rootless.bash failed in: ${*:2}"; }

network_in_a_user_namespace() { prepare; script unshare unshare -Urm --fork --kill-child unshare -nm --fork --kill-child; }
network_together_with_a_user_namespace() { prepare; modprobe -a iptable_filter ip6table_filter 2>/dev/null; script unshare unshare -Urnm --fork --kill-child; }
rootlesskit_with_slirp4netns() {
  modprobe tun; chmod 666 /dev/net/tun
  echo nobody:100000:65536 | tee /etc/subuid >/etc/subgid
  prepare; world
  in_ns outside socat TCP4-LISTEN:80,fork,reuseaddr SYSTEM:'echo web' &
  script slirp rootlesskit --net=slirp4netns --disable-host-loopback --copy-up=/etc --copy-up=/run
}
# The modules of nf_tables, the bridge and the veth are loaded by the kernel, as nobody there may.
modules_come_by_themselves() { fresh_modules; network_together_with_a_user_namespace; }

CASE_SECONDS=300
cases network_in_a_user_namespace network_together_with_a_user_namespace rootlesskit_with_slirp4netns modules_come_by_themselves
