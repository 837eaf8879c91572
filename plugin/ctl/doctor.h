// ponsctl doctor: problems of this host that affect containers, and their remedies; and what was looked at without a
// finding, and what could not be looked at.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "plugin/ctl/finding.h"
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

/// "fault", "warning", "note", "not checked", "fine"
std::string_view nameOf(Severity severity);

struct CheckResult {
  Severity severity;
  std::string area;  ///< "kernel", "settings", "firewall", "ports", "records", "networks", "containers", "managers"
  std::string what;
  std::string remedy = {};
  std::string why = {};                        ///< only of NotChecked
  std::optional<FindingId> id = std::nullopt;  ///< of faults, warnings and notes
};
using CheckResults = std::vector<CheckResult>;

inline CheckResult notChecked(std::string area, std::string what, std::string why) {
  return {Severity::NotChecked, std::move(area), std::move(what), {}, std::move(why)};
}

/// Appends results of one area.
class Area {
 public:
  Area(CheckResults& results, std::string name) : results_(results), name_(std::move(name)), before_(results.size()) {}

  void add(FindingId id, Severity severity, std::string what, std::string remedy = {}) {
    results_.push_back({severity, name_, std::move(what), std::move(remedy), {}, id});
  }
  void fault(FindingId id, std::string what, std::string remedy = {}) {
    add(id, Severity::Fault, std::move(what), std::move(remedy));
  }
  void warning(FindingId id, std::string what, std::string remedy) {
    add(id, Severity::Warning, std::move(what), std::move(remedy));
  }
  void note(FindingId id, std::string what, std::string remedy = {}) {
    add(id, Severity::Note, std::move(what), std::move(remedy));
  }
  void fine(std::string what) { results_.push_back({Severity::Fine, name_, std::move(what)}); }
  void notChecked(std::string what, std::string why) {
    results_.push_back(ctl::notChecked(name_, std::move(what), std::move(why)));
  }

  /// How many faults, warnings and notes since this object was made.
  std::size_t found() const {
    return static_cast<std::size_t>(
        std::count_if(results_.begin() + static_cast<std::ptrdiff_t>(before_), results_.end(),
                      [](const CheckResult& one) { return one.severity <= Severity::Note; }));
  }

 private:
  CheckResults& results_;
  std::string name_;
  std::size_t before_;
};

/// "diagnoses", the most severe first: "verdict", "id" of a finding, "area", "what", and "remedy" where there is one;
/// and "notChecked": "area", "what", "why".
std::string doctorJson(CheckResults results);
/// The text of that document.
std::string doctorText(const json::Value& document, const Terminal& terminal);

}  // namespace pons::ctl
