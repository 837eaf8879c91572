// Runs a program under ptrace(2), counts its system calls, and kills it or injects an error at one of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/process.h"

namespace support {

/// The fault injected into one system call of a run.
struct FaultInjection {
  enum class Kind : std::uint8_t {
    None,
    Kill,         ///< SIGKILL before the kernel begins with it
    Fail,         ///< returns `error`, the call is not executed
    DoAndFail,    ///< returns `error`, but the call is executed, like close(2), which always frees the descriptor
    NoMoreMemory  ///< from this call on brk, mmap and mremap fail with ENOMEM
  };
  Kind kind = Kind::None;
  std::size_t at = 0;  ///< the first one counted has number 1
  long call = -1;      ///< only if it is this call (SYS_read ...), as runs may differ
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

/// Whether ptrace(2) is permitted and the processor is supported.
bool canTrace();

/// Runs argv[0], which must not start threads or programs, with this fault. System calls are counted from the first
/// read() of standard input on: earlier calls are those of the dynamic loader and libc.
TracedOutcome runTraced(const std::vector<std::string>& argv, const RunOptions& options, const FaultInjection& fault);

}  // namespace support
