// What libFuzzer calls; the target is chosen by the build.
#include <cstddef>
#include <cstdint>

#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::PONS_FUZZ_TARGET({reinterpret_cast<const char*>(data), size});
  return 0;
}
