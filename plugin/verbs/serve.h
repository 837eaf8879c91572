// One run of the program: from environment and stdin to the answer.
#pragma once

#include <functional>
#include <string>

#include "plugin/cni/environment.h"

namespace pons {

struct Answer {
  int exitCode;
  std::string out;  ///< for stdout: one JSON document, or nothing
  std::string err;  ///< for stderr
  /// Called where `out` could not be written: an ADD whose result nobody gets has failed, and is taken back.
  std::function<void()> takeBack = [] {};
};

/// All of stdin; at most one byte past cni::kMaxInput, which is then refused.
using ReadInput = std::function<netlib::Result<std::string>()>;

Answer serve(const cni::Environment& environment, const ReadInput& readInput);

/// Every failure answers in this form.
Answer failed(const cni::Error& error, std::string_view version);

}  // namespace pons
