// The text of ponsctl explain.
#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/ctl/explain.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

/// Truncated if it is long.
std::string shown(const std::string& value) {
  constexpr std::size_t kMax = 60;
  return value.size() > kMax ? value.substr(0, kMax) + "…" : value;
}

std::string errorText(const Explained& whole, const ConfigError& error, const Terminal& terminal) {
  std::string place = whole.file;
  if (error.place) place += ":" + std::to_string(error.place->line) + ":" + std::to_string(error.place->column);
  std::string text =
      netlib::printable(place) + ": " + terminal.in(Colour::Bad, netlib::printable(error.message)) + "\n";
  if (!error.details.empty()) text += "  " + netlib::printable(error.details) + "\n";
  return text;
}

/// "key: value", and indented below it the effect.
std::string entryText(const std::string& head, const std::string& body, const Terminal& terminal) {
  constexpr std::string_view kIndent = "      ";
  std::string text = "  " + head + "\n";
  for (const std::string& line : wrapped(netlib::printable(body), terminal.width - kIndent.size())) {
    text.append(kIndent).append(line).append("\n");
  }
  return text;
}

std::string keysText(const ExplainedPlugin& plugin, const Terminal& terminal) {
  std::string text;
  for (const ExplainedKey& key : plugin.keys) {
    const std::string value = netlib::printable(shown(key.value));
    const std::string how = key.byDefault ? terminal.in(Colour::Faint, value + " (default)") : value;
    text += entryText(netlib::printable(key.key) + ": " + how, key.effect, terminal);
  }
  return text.empty() ? "  only defaults\n" : text;
}

std::string ignoredText(const std::vector<IgnoredKey>& ignored, const Terminal& terminal) {
  std::string text;
  for (const IgnoredKey& key : ignored) {
    const std::string value = netlib::printable(shown(key.value));
    text += entryText(netlib::printable(key.key) + ": " + value + " " + terminal.in(Colour::Busy, "is ignored"),
                      key.why, terminal);
  }
  return text;
}

std::string planText(const ExplainedPlugin& plugin, const Terminal& terminal) {
  if (plugin.plan.empty()) return {};
  const std::string assumed = plugin.assumptions.empty() ? "" : " that " + joined(plugin.assumptions, " and ");
  std::string text = "\n";
  for (const std::string& line :
       wrapped("What ADD would do, for a made-up container" + assumed + ":", terminal.width)) {
    text += netlib::printable(line) + "\n";
  }
  std::size_t number = 0;
  for (const PlannedStep& state : plugin.plan) {
    const std::string count = std::to_string(++number);
    text += std::string(count.size() < 2 ? 3 : 2, ' ') + count + ". " + netlib::printable(state.name) +
            (state.shared ? ", shared" : "") + "\n";
  }
  return text;
}

std::string pluginText(const Explained& whole, const ExplainedPlugin& plugin, const Terminal& terminal) {
  if (plugin.error) return errorText(whole, *plugin.error, terminal);
  if (!plugin.isOurs) return "  not a plugin of pons, not checked\n";
  return keysText(plugin, terminal) + ignoredText(plugin.ignored, terminal) + planText(plugin, terminal);
}

}  // namespace

std::string explainText(const Explained& whole, const Terminal& terminal) {
  if (whole.error) return errorText(whole, *whole.error, terminal);
  std::string text = "network " + netlib::printable(whole.network) + ", CNI " + netlib::printable(whole.version) + "\n";
  text += ignoredText(whole.ignored, terminal);
  for (const ExplainedPlugin& plugin : whole.plugins) {
    text += "\nplugin " + netlib::printable(plugin.type) + ":\n" + pluginText(whole, plugin, terminal);
  }
  return text;
}

}  // namespace pons::ctl
