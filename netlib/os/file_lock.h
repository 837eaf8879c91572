// An exclusive flock(2) with an end to the waiting.
#pragma once

#include <chrono>

#include "netlib/base/result.h"
#include "netlib/base/unique_fd.h"

namespace netlib {

/// Held as long as this object lives, and gone with the process however that ends.
class FileLock {
 public:
  /// Locks the open file. Waits at most `patience`, without polling; afterwards ETIMEDOUT with the id of the process
  /// that holds it, as far as /proc/locks tells. `what` names the lock in messages.
  /// While it waits, SIGALRM and ITIMER_REAL of the process are its own (given back afterwards), because flock() knows
  /// no timeout: so only one thread may wait at a time, and the process needs no other use of them.
  static Result<FileLock> acquire(UniqueFd file, std::chrono::milliseconds patience, const std::string& what);

  int fd() const { return file_.get(); }

 private:
  explicit FileLock(UniqueFd file) : file_(std::move(file)) {}

  UniqueFd file_;
};

}  // namespace netlib
