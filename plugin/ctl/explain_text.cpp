// The text of ponsctl explain.
#include "plugin/ctl/explain.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

/// The member "value", truncated if it is long.
std::string valueIn(const json::Value& key) {
  constexpr std::size_t kMax = 60;
  const std::string value = plainText(key["value"]);
  return value.size() > kMax ? value.substr(0, kMax) + "…" : value;
}

std::string errorText(const std::string& file, const json::Value& error, const Terminal& terminal) {
  std::string place = file;
  if (const auto line = error["line"].integer()) {
    place += ":" + std::to_string(*line) + ":" + std::to_string(error["column"].integer().value_or(0));
  }
  std::string text = place + ": " + terminal.in(Colour::Bad, plainText(error["message"])) + "\n";
  if (error["details"].present()) text += "  " + plainText(error["details"]) + "\n";
  return text;
}

/// "key: value", and indented below it the effect.
std::string entryText(const std::string& head, const std::string& body, const Terminal& terminal) {
  constexpr std::string_view kIndent = "      ";
  std::string text = "  " + head + "\n";
  for (const std::string& line : wrapped(body, terminal.width - kIndent.size())) {
    text.append(kIndent).append(line).append("\n");
  }
  return text;
}

std::string effectsText(const json::Value& keys, const Terminal& terminal) {
  std::string text;
  for (const json::Value& key : keys.items()) {
    const bool byDefault = key["default"].boolean().value_or(false);
    const std::string how = byDefault ? terminal.in(Colour::Faint, valueIn(key) + " (default)") : valueIn(key);
    text += entryText(plainText(key["key"]) + ": " + how, plainText(key["effect"]), terminal);
  }
  return text.empty() ? "  only defaults\n" : text;
}

std::string ignoredText(const json::Value& keys, const Terminal& terminal) {
  std::string text;
  for (const json::Value& key : keys.items()) {
    const std::string head =
        plainText(key["key"]) + ": " + valueIn(key) + " " + terminal.in(Colour::Busy, "is ignored");
    text += entryText(head, plainText(key["why"]), terminal);
  }
  return text;
}

std::string planText(const json::Value& plugin, const Terminal& terminal) {
  const std::vector<json::Value> steps = plugin["plan"].items();
  if (steps.empty()) return {};
  std::vector<std::string> assumptions;
  for (const json::Value& one : plugin["assumptions"].items()) { assumptions.push_back(plainText(one)); }
  const std::string assumed = assumptions.empty() ? "" : " that " + joined(assumptions, " and ");
  std::string text = "\n";
  for (const std::string& line :
       wrapped("What ADD would do, for a made-up container" + assumed + ":", terminal.width)) {
    text += line + "\n";
  }
  std::size_t number = 0;
  for (const json::Value& step : steps) {
    const std::string count = std::to_string(++number);
    text += std::string(count.size() < 2 ? 3 : 2, ' ') + count + ". " + plainText(step["state"]) +
            (step["shared"].boolean().value_or(false) ? ", shared" : "") + "\n";
  }
  return text;
}

std::string pluginText(const std::string& file, const json::Value& plugin, const Terminal& terminal) {
  if (plugin["error"].present()) return errorText(file, plugin["error"], terminal);
  if (!plugin["ofPons"].boolean().value_or(false)) return "  not a plugin of pons, not checked\n";
  return effectsText(plugin["keys"], terminal) + ignoredText(plugin["ignored"], terminal) + planText(plugin, terminal);
}

}  // namespace

std::string explainText(const json::Value& root, const Terminal& terminal) {
  const std::string file = plainText(root["file"]);
  if (root["error"].present()) return errorText(file, root["error"], terminal);
  std::string text = "network " + plainText(root["network"]) + ", CNI " + plainText(root["cniVersion"]) + "\n";
  text += ignoredText(root["ignored"], terminal);
  for (const json::Value& plugin : root["plugins"].items()) {
    text += "\nplugin " + plainText(plugin["type"]) + ":\n" + pluginText(file, plugin, terminal);
  }
  return text;
}

}  // namespace pons::ctl
