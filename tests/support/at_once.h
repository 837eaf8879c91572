// Several processes that begin at the same moment.
#pragma once

#include <array>
#include <list>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

#include "tests/support/process.h"

namespace support {

/// Runs `work` in that many forked children at once, each with its number; how many of them said true.
inline int atOnce(int count, const std::function<bool(int)>& work) {
  std::array<int, 2> gate{};
  std::array<int, 2> answers{};
  REQUIRE(pipe2(gate.data(), O_CLOEXEC) == 0);
  REQUIRE(pipe2(answers.data(), O_CLOEXEC) == 0);
  const netlib::UniqueFd wait{gate[0]};
  const netlib::UniqueFd open{gate[1]};
  const netlib::UniqueFd hear{answers[0]};
  const netlib::UniqueFd writer{answers[1]};
  std::list<ForkedProcess> children;
  for (int number = 0; number < count; ++number) {
    children.emplace_back([&, number] {
      char byte = 0;
      if (read(wait.get(), &byte, 1) != 1) return 1;
      byte = work(number) ? 1 : 0;
      return write(writer.get(), &byte, 1) == 1 ? 0 : 1;
    });
  }
  const std::string start(static_cast<std::size_t>(count), '!');
  REQUIRE(write(open.get(), start.data(), start.size()) == count);
  int succeeded = 0;
  for (int number = 0; number < count; ++number) {
    char byte = 0;
    REQUIRE(read(hear.get(), &byte, 1) == 1);
    succeeded += byte;
  }
  return succeeded;
}

}  // namespace support
