// ponsctl explain: the effect of each key of a network configuration, and the errors in it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/ctl/terminal.h"
#include "plugin/json/json.h"

namespace pons::ctl {

/// Why ADD would refuse the configuration.
struct ConfigError {
  std::string message;
  std::string details = {};
  std::optional<json::Place> place = std::nullopt;
};

struct ExplainedKey {
  std::string key;    ///< path in the plugin's object
  std::string value;  ///< as JSON
  std::string effect;
  bool byDefault = false;  ///< absent: `value` is the default
};

struct IgnoredKey {
  std::string key;
  std::string value;
  std::string why;
};

struct PlannedStep {
  std::string name;
  bool shared;
};

struct ExplainedPlugin {
  std::string type;
  bool isOurs = false;  ///< else it is not a plugin of pons, and has no explanation
  std::vector<ExplainedKey> keys = {};
  std::vector<IgnoredKey> ignored = {};
  std::vector<std::string> assumptions = {};  ///< about the example container of the plan: "gets 10.42.0.2/24"
  std::vector<PlannedStep> plan = {};
  std::optional<ConfigError> error = std::nullopt;
};

struct Explained {
  std::string file;
  std::string network = {};
  std::string version = {};
  std::vector<IgnoredKey> ignored = {};  ///< of the top level of a list
  std::vector<ExplainedPlugin> plugins = {};
  std::optional<ConfigError> error = std::nullopt;  ///< of the file as a whole

  bool isValid() const;
};

/// Explains `text`, the content of `file`. `stateDir` is the default state directory.
Explained explained(const std::string& text, const std::string& file, const std::string& stateDir);

std::string explainText(const Explained& whole, const Terminal& terminal);
std::string explainJson(const Explained& whole);

}  // namespace pons::ctl
