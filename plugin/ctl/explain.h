// pons explain: what a configuration means, as it stands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/ctl/screen.h"
#include "plugin/json/json.h"

namespace pons::tools {

/// Why a configuration cannot work.
struct Mistake {
  std::string message;
  std::string details = {};
  std::optional<json::Place> place = std::nullopt;
};

struct KeyMeaning {
  std::string key;    ///< from the top of the plugin's object
  std::string value;  ///< as JSON
  std::string effect;
  bool byDefault = false;  ///< it is not there, and means this
};

struct IgnoredKey {
  std::string key;
  std::string value;
  std::string why;
};

struct PlannedState {
  std::string name;
  bool shared;
};

struct ExplainedPlugin {
  std::string type;
  bool isOurs = false;  ///< else it is a plugin of others, of which nothing is said
  std::vector<KeyMeaning> keys = {};
  std::vector<IgnoredKey> ignored = {};
  std::vector<std::string> assumptions = {};  ///< of the container for which the plan is: "gets 10.42.0.2/24"
  std::vector<PlannedState> plan = {};
  std::optional<Mistake> mistake = std::nullopt;
};

struct Explained {
  std::string file;
  std::string network = {};
  std::string version = {};
  std::vector<IgnoredKey> ignored = {};  ///< beside the plugins of a list
  std::vector<ExplainedPlugin> plugins = {};
  std::optional<Mistake> mistake = std::nullopt;  ///< of the file as a whole

  bool works() const;
};

/// From the text of the file of that name. `stateDir` is where the ledger is unless the file says.
Explained explained(const std::string& text, const std::string& file, const std::string& stateDir);

std::string explainText(const Explained& whole, const Screen& screen);
std::string explainJson(const Explained& whole);

}  // namespace pons::tools
