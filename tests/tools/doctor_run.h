// Runs of ponsctl doctor on a fake host, and its findings.
#pragma once

#include <algorithm>

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/tools/tool_run.h"

namespace support {

inline void write(const std::string& path, const std::string& content) {
  std::filesystem::create_directories(std::filesystem::path{path}.parent_path());
  setContent(path, content);
}

inline Outcome doctorRun(const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments{"doctor", "--config-dir", "/run/net.d"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const std::string plugins = std::filesystem::path{PONS_BINARY}.parent_path();
  return tool(arguments, {"CNI_PATH=" + plugins, "COLUMNS=400"});
}

/// A network with these members, whose configuration is in the directory that doctorRun() reads.
inline Network configured(const std::string& name, const std::string& members) {
  Network network{name, members};
  write("/run/net.d/" + name + ".conf", network.config());
  return network;
}

/// What a run has found.
class Findings {
 public:
  struct Finding {
    std::string verdict;  ///< empty: there is none
    std::string id;
    std::string what;
    std::string remedy;
  };

  explicit Findings(const std::vector<std::string>& more = {}) {
    auto arguments = more;
    arguments.emplace_back("--json");
    const Outcome outcome = doctorRun(arguments);
    text_ = outcome.out;
    exitCode_ = outcome.exitCode;
    const auto document = jsonOf(outcome);
    const auto text = [](const pons::json::Value& value) { return std::string{value.string().value_or("")}; };
    for (const auto& one : document["diagnoses"].items()) {
      all_.push_back({text(one["verdict"]), text(one["id"]), text(one["what"]), text(one["remedy"])});
    }
    for (const auto& one : document["notChecked"].items()) {
      all_.push_back({"not checked", {}, text(one["what"]), text(one["why"])});
    }
  }

  /// The first one whose text has that part.
  Finding with(const std::string& part) const {
    for (const Finding& finding : all_) {
      if (contains(finding.what, part)) return finding;
    }
    return {};
  }
  /// Whether each fault, warning and note has an id, and the rest none.
  bool haveIds() const {
    return std::ranges::all_of(all_, [](const Finding& one) {
      return one.id.empty() == (one.verdict == "fine" || one.verdict == "not checked");
    });
  }
  /// Exit code 0, and neither faults nor warnings.
  bool ok() const {
    const bool found = std::ranges::any_of(
        all_, [](const Finding& one) { return one.verdict == "fault" || one.verdict == "warning"; });
    return exitCode_ == 0 && !found;
  }
  /// The document, for messages.
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  int exitCode_ = 0;
  std::vector<Finding> all_;
};

/// Runs what a remedy says before its first ';'.
inline void applyRemedy(const Findings::Finding& finding) {
  REQUIRE(!finding.remedy.empty());
  shell(finding.remedy.substr(0, finding.remedy.find(';')));
}

}  // namespace support
