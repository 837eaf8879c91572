// An exclusive flock(2) with a timeout.
#pragma once

#include <chrono>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Held for the lifetime of this object; the kernel releases it when the process exits.
class FileLock {
 public:
  /// Locks the open file. Waits at most `timeout`, then Locked with the PID of the holder if /proc/locks lists it.
  /// `what` names the lock in messages. flock(2) has no timeout: while waiting, this uses SIGALRM and ITIMER_REAL of
  /// the process (restored afterwards), so only one thread may wait at a time.
  static Result<FileLock> acquire(UniqueFd file, std::chrono::milliseconds timeout, const std::string& what);

  int fd() const { return file_.get(); }

 private:
  explicit FileLock(UniqueFd file) : file_(std::move(file)) {}

  UniqueFd file_;
};

}  // namespace netlib
