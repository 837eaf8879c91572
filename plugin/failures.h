// Failures on the way through work that goes on after each of them, as one error in the end.
#pragma once

#include <optional>
#include <string>

#include "netlib/result.h"

namespace pons {

/// The code of the first failure, the words of all.
class Failures {
 public:
  void add(const std::string& what, const netlib::Result<>& result) {
    if (result) return;
    const netlib::Error& error = result.error();
    if (!all_) {
      all_ = netlib::Error{error.code, what + ": " + error.message};
    } else {
      all_->message += "; " + what + ": " + error.message;
    }
  }

  bool none() const { return !all_; }
  netlib::Result<> result() const { return all_ ? netlib::Result<>{netlib::fail(*all_)} : netlib::Result<>{}; }

 private:
  std::optional<netlib::Error> all_;
};

}  // namespace pons
