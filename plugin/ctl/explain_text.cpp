// The text of ponsctl explain.
#include "plugin/ctl/explain.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

namespace {

/// The member "value", truncated if it is long.
std::string valueIn(const json::Value& key) {
  constexpr std::size_t kMax = 60;
  const std::string value = key["value"].text();
  return value.size() > kMax ? value.substr(0, kMax) + "…" : value;
}

std::string errorText(const std::string& file, const json::Value& error, const Terminal& terminal) {
  std::string place = file;
  if (const auto line = error["line"].integer()) {
    place += ":" + std::to_string(*line) + ":" + std::to_string(error["column"].integer().value_or(0));
  }
  std::string text = paragraph(place + ": " + plainText(error["message"]), 0, terminal, Colour::Bad);
  if (error["details"].present()) text += paragraph(plainText(error["details"]), 2, terminal);
  return text;
}

/// "key: value", and indented below it the effect.
std::string entryText(const std::string& head, const std::string& body, const Terminal& terminal,
                      Colour colour = Colour::None) {
  return paragraph(head, 2, terminal, colour) + paragraph(body, 6, terminal);
}

std::string effectsText(const json::Value& keys, const Terminal& terminal) {
  std::string text;
  for (const json::Value& key : keys.items()) {
    const std::string how = valueIn(key) + (isTrue(key["default"]) ? " (default)" : "");
    text += entryText(plainText(key["key"]) + ": " + how, plainText(key["effect"]), terminal,
                      isTrue(key["default"]) ? Colour::Faint : Colour::None);
  }
  return text.empty() ? "  only defaults\n" : text;
}

/// The mistakes among the keys, or the others.
std::string ignoredText(const json::Value& keys, bool areMistakes, const Terminal& terminal) {
  std::string text;
  for (const json::Value& key : keys.items()) {
    if (isTrue(key["mistake"]) != areMistakes) continue;
    const std::string head = plainText(key["key"]) + ": " + valueIn(key) + " is ignored";
    text += entryText(head, plainText(key["why"]), terminal, areMistakes ? Colour::Bad : Colour::Faint);
  }
  return text;
}

std::string planText(const json::Value& plugin, const Terminal& terminal) {
  const std::vector<json::Value> steps = plugin["plan"].items();
  if (steps.empty()) return {};
  std::vector<std::string> assumptions;
  for (const json::Value& one : plugin["assumptions"].items()) { assumptions.push_back(plainText(one)); }
  const std::string assumed = assumptions.empty() ? "" : " that " + joined(assumptions, " and ");
  std::string text = "\n" + paragraph("What ADD would do, for a made-up container" + assumed + ":", 0, terminal);
  std::size_t number = 0;
  for (const json::Value& step : steps) {
    const std::string count = std::to_string(++number);
    text += hanging(std::string(count.size() < 2 ? 3 : 2, ' ') + count + ". " + plainText(step["state"]) +
                        (isTrue(step["shared"]) ? ", shared" : "") + "\n",
                    terminal.width);
  }
  return text;
}

std::string pluginText(const json::Value& plugin, const Terminal& terminal) {
  if (plugin["error"].present()) return "  invalid: see above\n";
  if (!isTrue(plugin["ofPons"])) return "  not a plugin of pons, not checked\n";
  return ignoredText(plugin["ignored"], true, terminal) + effectsText(plugin["keys"], terminal) +
         ignoredText(plugin["ignored"], false, terminal) + planText(plugin, terminal);
}

/// The errors, or that there are none.
std::string verdictText(const json::Value& root, const Terminal& terminal) {
  const std::string file = plainText(root["file"]);
  std::string errors;
  for (const json::Value& plugin : root["plugins"].items()) {
    if (plugin["error"].present()) errors += errorText(file, plugin["error"], terminal);
  }
  if (!errors.empty()) return errors;
  const std::size_t mistakes = numberIn(root["mistakes"]);
  if (mistakes == 0) return paragraph(file + ": valid", 0, terminal, Colour::Good);
  const std::string are = mistakes == 1 ? " is" : " are";
  return paragraph(file + ": valid, but " + counted(mistakes, "key") + are + " ignored", 0, terminal, Colour::Bad);
}

}  // namespace

std::string explainText(const json::Value& root, const Terminal& terminal) {
  if (root["error"].present()) return errorText(plainText(root["file"]), root["error"], terminal);
  std::string text = verdictText(root, terminal);
  text += "\nnetwork " + plainText(root["network"]) + ", CNI " + plainText(root["cniVersion"]) + "\n";
  text += ignoredText(root["ignored"], true, terminal);
  for (const json::Value& plugin : root["plugins"].items()) {
    text += "\nplugin " + plainText(plugin["type"]) + ":\n" + pluginText(plugin, terminal);
  }
  return text;
}

}  // namespace pons::ctl
