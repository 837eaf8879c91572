// The errors of work that continues after each of them, joined into one.
#pragma once

#include <optional>
#include <string>

#include "netlib/base/result.h"

namespace netlib {

/// The first error with cause, number and details; the messages of all of them, each after its `what`.
class ErrorList {
 public:
  void add(const std::string& what, const Result<>& result) {
    if (result) return;
    const Error& error = result.error();
    if (!all_) {
      all_ = error.reworded(what + ": " + error.message);
    } else {
      all_->message += "; " + what + ": " + error.message;
    }
  }

  bool none() const { return !all_; }
  Result<> result() const { return all_ ? Result<>{fail(*all_)} : Result<>{}; }

 private:
  std::optional<Error> all_;
};

}  // namespace netlib
