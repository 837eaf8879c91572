#!/bin/bash
# scripts/demo itself, as it is.
# kernels: all arm64
source ./lib.sh

demo() {
  cd /payload
  mkdir -p build/release && ln -sf ../../pons ../../ponsctl build/release
  expect "scripts/demo" unshare --net --mount --pid --fork --kill-child scripts/demo --inside
}
cases demo
