// ponsctl watch: one pass, which restores and collects; and the metrics.
#pragma once

#include <string>
#include <vector>

#include "netlib/base/result.h"

#include "plugin/ctl/arguments.h"

namespace pons::ctl {

struct Pass {
  bool hadFaults = false;              ///< restored, or not
  std::vector<std::string> done = {};  ///< what was restored or removed, one line each
  /// What was not restored or removed and why, and what could not be read, one line each. Faults that only a restart of
  /// their container repairs are in each pass.
  std::vector<std::string> problems = {};
};

/// Removes the attachments of containers that no longer exist, and restores what is missing of the others. An error is
/// a problem of the pass, and ends no more than its own part. Takes the locks that gc and repair take.
Pass passOver(const Arguments& arguments);

/// Replaces `arguments.metricsFile`, if it is set and its directory exists: without the node exporter it has no reader.
netlib::Result<> writeMetrics(const Arguments& arguments);

}  // namespace pons::ctl
