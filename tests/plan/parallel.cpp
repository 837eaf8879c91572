// Verbs at once: of one attachment, and of several on one network.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fcntl.h>

#include "netlib/unique_fd.h"

#include "tests/support/plan_cases.h"

using namespace support;

namespace {

// Runs `work` in that many children at once, each with its number; the codes that they end with.
std::vector<int> atOnce(int count, const std::function<int(int)>& work) {
  std::array<int, 2> gate{};
  REQUIRE(pipe2(gate.data(), O_CLOEXEC) == 0);
  const netlib::UniqueFd wait{gate[0]};
  netlib::UniqueFd open{gate[1]};
  return runAll(count, [&](int number) {
    open.reset();
    char byte = 0;
    if (read(wait.get(), &byte, 1) != 0) return -1;  // end of file: the gate is open
    return work(number);
  }, [&open] { open.reset(); });
}

}  // namespace
