// ponsctl doctor: problems of this host that affect containers, and their remedies; and what was looked at without a
// finding, and what could not be looked at.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"
#include "plugin/json/json.h"

namespace pons::ctl {

enum class Severity : unsigned char {
  Fault,       ///< containers are affected, or ADD fails
  Warning,     ///< may become a fault
  Note,        ///< worth knowing
  NotChecked,  ///< `why` says why not
  Fine,        ///< `what` says what was looked at
};

struct CheckResult {
  Severity severity;
  std::string area;  ///< "kernel", "settings", "firewall", "ports", "records", "networks", "containers", "managers"
  std::string what;
  std::string remedy = {};
  std::string why = {};  ///< only of NotChecked
};
using CheckResults = std::vector<CheckResult>;

inline CheckResult notChecked(std::string area, std::string what, std::string why) {
  return {Severity::NotChecked, std::move(area), std::move(what), {}, std::move(why)};
}

/// "diagnoses", the most severe first: "verdict", "area", "what", and "remedy" where there is one; and "notChecked":
/// "area", "what", "why".
std::string doctorJson(CheckResults results);
/// The text of that document.
std::string doctorText(const json::Value& document, const Terminal& terminal);

}  // namespace pons::ctl
