// One run of the plugin: environment and stdin in, output and exit code out.
#pragma once

#include <functional>
#include <string>

#include "plugin/cni/environment.h"

namespace pons {

struct Answer {
  int exitCode;     ///< 0 or 1; 127 from main() if ponsctl cannot be executed
  std::string out;  ///< for stdout: one JSON document or empty
  std::string err;  ///< for stderr
  /// To be called if `out` cannot be written: the runtime then regards the ADD as failed. Tears the attachment down and
  /// logs failures. Waits for the locks of the record and of the host, each up to Settings::lockTimeout. May throw
  /// std::bad_alloc. Holds a copy of the request.
  std::function<void()> rollbackAdd = [] {};
};

/// Reads stdin to its end. An error is answered with Io.
using ReadInput = std::function<netlib::Result<std::string>()>;

/// Executes the verb in CNI_COMMAND, logs and counts it. All errors are in the Answer. Without CNI_COMMAND prints
/// aboutText() to stderr.
Answer serve(const cni::Environment& environment, const ReadInput& readInput);

/// The Answer of an error: exit code 1, and the error as JSON on stdout.
Answer failed(const cni::Error& error, std::string_view version);

}  // namespace pons
