#!/bin/bash
# Kernels that lack options of nf_tables: what needs none of them works, and the rest names the option and the key.
# kernels: all
# default: masquerade_is_named
# seconds: 400
source ./lib.sh
WAIT=8 # the first packet may wait for a module

unguarded() { conf macspoofchk=false ipSpoofCheck=false "$@"; }
ports() { unguarded runtimeConfig='{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"},{"hostPort":5353,"containerPort":53,"protocol":"udp"}]}' "$@"; }
refused() { # WHAT OPTION KEY
  is "$1: refused" 2 "$(code)"
  has "$1: option" "$2" "$out"
  has "$1: key" "$3" "$out"
}
NO_FIB="nft_fib nft_fib_ipv4 nft_fib_ipv6 nft_fib_inet"

masquerade_alone_needs_little() {
  without $NO_FIB nft_ct nft_meta_bridge nf_conntrack_bridge ifb br_netfilter
  world
  netns c1 c2
  before
  unguarded | cni ADD c1; is "ADD" 0 $rc
  local first=$out
  is "way out" yes "$(pings c1 192.0.2.2)"
  unguarded | prev "$first" | cni CHECK c1; is "CHECK" 0 $rc
  unguarded | cni ADD c2; is "ADD of a neighbour" 0 $rc
  is "neighbour" yes "$(pings c1 "$(address)")"
  expect "repair finds nothing" ponsctl repair --dry-run
  unguarded | cni DEL c2; is "DEL of the neighbour" 0 $rc
  unguarded | cni DEL c1; is "DEL" 0 $rc
  nothing_left
}

both_families_need_little() {
  without $NO_FIB nft_ct nft_meta_bridge nf_conntrack_bridge
  world
  netns c1
  local ranges='{"ranges":[[{"subnet":"10.42.0.0/24"}],[{"subnet":"fd42::/64"}]]}'
  unguarded ipam="$ranges" | cni ADD c1; is "ADD" 0 $rc
  is "way out, IPv4" yes "$(pings c1 192.0.2.2)"
  is "way out, IPv6" yes "$(pings c1 2001:db8:1::2)"
  unguarded ipam="$ranges" | prev "$out" | cni CHECK c1; is "CHECK" 0 $rc
  unguarded ipam="$ranges" | cni DEL c1; is "DEL" 0 $rc
}

ports_name_the_option() {
  without $NO_FIB
  world
  netns c1 c2
  before
  ports | cni ADD c1
  refused "first container" CONFIG_NFT_FIB_IPV4 portMappings
  nothing_left "nothing is left of the first one"
  unguarded | cni ADD c2; is "plain container" 0 $rc
  local plain=$out
  ports | cni ADD c1
  refused "beside another one" CONFIG_NFT_FIB_IPV4 portMappings
  is "the other one's way out" yes "$(pings c2 192.0.2.2)"
  unguarded | prev "$plain" | cni CHECK c2; is "the other one's CHECK" 0 $rc
  unguarded | cni DEL c2; is "DEL" 0 $rc
  nothing_left
  fresh_modules
  rm -f /etc/modprobe.d/without.conf
  ports | cni ADD c1; is "with the module it works" 0 $rc
}

conntrack_expressions_are_named() {
  without nft_ct
  netns c1
  ports | cni ADD c1; refused "ports" CONFIG_NFT_CT portMappings
  unguarded ingressPolicy='"same-bridge"' | cni ADD c1; refused "ingress policy" CONFIG_NFT_CT ingressPolicy
}

reject_is_named() {
  without nft_reject nft_reject_ipv4 nft_reject_ipv6 nft_reject_inet nft_reject_bridge
  netns c1 c2
  before
  unguarded internal=true | cni ADD c1; refused "internal" CONFIG_NFT_REJECT_IPV4 '\\"onDeny\\": \\"drop\\"'
  unguarded publishedOnly=true | cni ADD c1; refused "published ports only" CONFIG_NFT_REJECT_IPV4 onDeny
  nothing_left
  unguarded publishedOnly=true onDeny='"drop"' | cni ADD c1; is "without an answer" 0 $rc
  unguarded | cni ADD c2; is "a neighbour" 0 $rc
  expect "repair finds nothing" ponsctl repair --dry-run
  unguarded | cni DEL c2; unguarded | cni DEL c1; is "DEL" 0 $rc
  nothing_left
}

masquerade_is_named() {
  without nft_masq
  netns c1
  before
  unguarded | cni ADD c1; refused "masquerade" CONFIG_NFT_MASQ '\\"ipMasq\\": false'
  nothing_left
  unguarded ipMasq=false | cni ADD c1; is "without it" 0 $rc
  unguarded ipMasq=false | cni DEL c1; is "DEL" 0 $rc
}

guard_is_named() {
  without nft_meta_bridge
  netns c1
  before
  conf | cni ADD c1; refused "guard" CONFIG_NFT_BRIDGE_META macspoofchk
  nothing_left
  unguarded | cni ADD c1; is "without it" 0 $rc
}

cases masquerade_alone_needs_little both_families_need_little ports_name_the_option conntrack_expressions_are_named \
  reject_is_named masquerade_is_named guard_is_named
