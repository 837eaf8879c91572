// The lock for all changes of claims and references in a state directory.
#pragma once

#include <memory>

#include "netlib/os/file_lock.h"

namespace pons {

/// Held for the lifetime of this object. Only Ledger::lockHost() makes one: a function that takes one by reference runs
/// under the lock.
class HostLock {
 private:
  friend class Ledger;
  HostLock(netlib::FileLock lock, std::shared_ptr<const void> token)
      : lock_(std::move(lock)), token_(std::move(token)) {}

  netlib::FileLock lock_;
  std::shared_ptr<const void> token_;  // by which the ledger knows that it is locked
};

}  // namespace pons
