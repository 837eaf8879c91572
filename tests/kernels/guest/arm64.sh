#!/bin/bash
# The project's own test programs on an arm64 kernel; see tests_payload() of ../run.
# kernels: arm64
# seconds: 7000
CASE_SECONDS=6000
source ./lib.sh

# program KIND [ARGUMENT...]: where it was built are the sources and the binaries
program() {
  local kind=$1 log=/run/$1.log source build
  shift
  [[ -e /payload/test_$kind ]] || { skip "test_$kind was not built"; return; }
  { read -r source; read -r build; } </payload/built
  mkdir -p "$source" "$build"
  tar -xf /payload/source.tar -C "$source"
  cp /payload/pons /payload/ponsctl "$build"
  # To the console, too: what a guest did that ran out of time.
  if "/payload/test_$kind" --duration=true "$@" |& tee /dev/console >"$log"; then
    ok "$(grep 'test cases:' "$log")"
  else
    bad "$(grep 'test cases:' "$log"): $(grep -E -B 4 -A 6 'ERROR' "$log" | head -n 200)"
  fi
}
# As on a host with the package, or with containers of others.
modprobe --all $(grep -v '^#' /payload/scripts/modules/modules-load.conf) br_netfilter
unit() { program unit; }
protocol() { program protocol; }
tools() { program tools; }
machine_cases unit protocol tools
