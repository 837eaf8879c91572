// A program whose system calls are counted, and one of which is its last or fails: what a crash or a kernel without
// memory does to it, at every place where it can happen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace support {

/// What happens to one system call of a run.
struct Interference {
  enum class Kind : std::uint8_t {
    None,
    Kill,         ///< SIGKILL before the kernel begins with it
    Fail,         ///< it answers `error`, and the kernel does nothing
    DoAndFail,    ///< it answers `error`, but the kernel did it: so does close(), whose descriptor is gone all the same
    NoMoreMemory  ///< from this call on the kernel refuses every request for memory with ENOMEM
  };
  Kind kind = Kind::None;
  std::size_t at = 0;  ///< the first one counted has number 1
  long call = -1;      ///< it is left alone where it is not this one (SYS_read ...), as not all runs are alike
  int error = 0;       ///< an errno; for Fail and DoAndFail
};

struct TracedCall {
  long number;     ///< SYS_read ...
  bool mayChange;  ///< something outside of the process, so that it shows after a kill
  bool answers;    ///< writes to the standard output
};

struct TracedOutcome {
  Outcome outcome;
  /// All that were counted, in order.
  std::vector<TracedCall> calls;
};

/// Whether this machine lets us trace, and its processor is known here.
bool canTrace();

/// Runs argv[0], which starts no threads or programs of its own, and meddles with it. Its system calls are counted from
/// the first read() of the standard input on: what comes before it is the work of the dynamic loader and of libc, which
/// a plugin has no hand in.
TracedOutcome runTraced(const std::vector<std::string>& argv, const RunOptions& options,
                        const Interference& interference);

}  // namespace support
