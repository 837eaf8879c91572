// ponsctl explain: the effect of each key of a network configuration, and the errors in it.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/decode/request.h"
#include "plugin/ctl/terminal.h"
#include "plugin/json/json.h"

namespace pons::ctl {

struct Explained {
  std::string json;
  bool isValid;      ///< ADD would not refuse it
  bool hasMistakes;  ///< keys that are ignored and probably misspelt
};

/// Explains `text`, the content of `file`. `stateDir` is the default state directory.
Explained explained(const std::string& text, const std::string& file, const std::string& stateDir);
std::string explainText(const json::Value& root, const Terminal& terminal);

/// The key table: all keys if `path` is empty, else that one and those in it. Empty if there are none.
std::string keysJson(const std::string& path);
/// One line for each.
std::string keysText(const json::Value& root, const Terminal& terminal);
/// All that the table says of each.
std::string keyDetails(const json::Value& root, const Terminal& terminal);
std::vector<std::string> keyPaths();

/// "assumptions" about the made-up container, "gets 10.42.0.2/24", and the "plan" of an ADD of a main plugin; both
/// empty for null.
void writePlan(json::Writer& writer, const cni::Request* request);

}  // namespace pons::ctl
