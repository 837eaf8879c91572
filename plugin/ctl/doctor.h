// ponsctl doctor: problems of this host that affect containers, and their remedies.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"

namespace pons::ctl {

enum class Severity : unsigned char {
  Fault,    ///< containers are affected, or ADD fails
  Warning,  ///< may become a fault
  Note,     ///< worth knowing
  Fine,
};

struct CheckResult {
  Severity severity;
  std::string area;  ///< "kernel", "settings", "firewall", "records", "networks", "managers"
  std::string what;
  std::string remedy = {};
};
using CheckResults = std::vector<CheckResult>;

/// The most severe first.
std::string doctorText(CheckResults results, const Terminal& terminal);
std::string doctorJson(CheckResults results);

}  // namespace pons::ctl
