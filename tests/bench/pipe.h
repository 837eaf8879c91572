// A pipe with O_CLOEXEC on both ends.
#pragma once

#include <array>
#include <cerrno>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "netlib/base/unique_fd.h"

namespace bench {

struct Pipe {
  netlib::UniqueFd reader;
  netlib::UniqueFd writer;

  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
    reader = netlib::UniqueFd{ends[0]};
    writer = netlib::UniqueFd{ends[1]};
  }
};

}  // namespace bench
