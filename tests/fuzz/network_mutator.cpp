// libFuzzer's mutations of a configuration: most by the key table, the others of its bytes.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>

#include "tests/fuzz/grammar.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t maxSize);

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t maxSize,
                                               unsigned seed) {
  std::minstd_rand random{seed};
  const fuzz::Choose choose = [&random](std::size_t bound) { return random() % bound; };
  if (choose(8) == 0) return LLVMFuzzerMutate(data, size, maxSize);
  const std::string_view before{reinterpret_cast<const char*>(data), size};
  const std::string after = fuzz::mutated(pons::cni::Applet::Pons, before, choose);
  if (after.size() > maxSize) return LLVMFuzzerMutate(data, size, maxSize);
  std::ranges::copy(after, data);
  return after.size();
}
