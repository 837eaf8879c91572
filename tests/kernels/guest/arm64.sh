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
  if "/payload/test_$kind" "$@" >"$log" 2>&1; then
    ok "$(grep 'test cases:' "$log")"
  else
    bad "$(grep 'test cases:' "$log"): $(grep -E -A 6 '^TEST CASE|ERROR' "$log" | head -n 200)"
  fi
}
unit() { program unit; }
protocol() { program protocol; }
tools() { program tools; }
machine_cases unit protocol tools
