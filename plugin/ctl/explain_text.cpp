// What pons explain prints for people.
#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/ctl/explain.h"
#include "plugin/ctl/table.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

/// A value may be long; what it is begins at its beginning.
std::string shown(const std::string& value) {
  constexpr std::size_t kMax = 60;
  return value.size() > kMax ? value.substr(0, kMax) + "…" : value;
}

std::string mistakeText(const Explained& whole, const Mistake& mistake, const Screen& screen) {
  std::string place = whole.file;
  if (mistake.place) place += ":" + std::to_string(mistake.place->line) + ":" + std::to_string(mistake.place->column);
  std::string text =
      netlib::printable(place) + ": " + screen.in(Colour::Bad, netlib::printable(mistake.message)) + "\n";
  if (!mistake.details.empty()) text += "  " + netlib::printable(mistake.details) + "\n";
  return text;
}

/// "key: value", and below it what that does.
std::string entryText(const std::string& head, const std::string& body, const Screen& screen) {
  constexpr std::string_view kIndent = "      ";
  std::string text = "  " + head + "\n";
  for (const std::string& line : wrapped(netlib::printable(body), screen.width - kIndent.size())) {
    text.append(kIndent).append(line).append("\n");
  }
  return text;
}

std::string keysText(const ExplainedPlugin& plugin, const Screen& screen) {
  std::string text;
  for (const KeyMeaning& key : plugin.keys) {
    const std::string value = netlib::printable(shown(key.value));
    const std::string how = key.byDefault ? screen.in(Colour::Faint, value + " by default") : value;
    text += entryText(netlib::printable(key.key) + ": " + how, key.effect, screen);
  }
  return text.empty() ? "  nothing but defaults\n" : text;
}

std::string ignoredText(const std::vector<IgnoredKey>& ignored, const Screen& screen) {
  std::string text;
  for (const IgnoredKey& key : ignored) {
    const std::string value = netlib::printable(shown(key.value));
    text += entryText(netlib::printable(key.key) + ": " + value + " " + screen.in(Colour::Busy, "is ignored"), key.why,
                      screen);
  }
  return text;
}

std::string planText(const ExplainedPlugin& plugin, const Screen& screen) {
  if (plugin.plan.empty()) return {};
  const std::string assumed = plugin.assumptions.empty() ? "" : " that " + joined(plugin.assumptions, " and ");
  std::string text = "\n";
  for (const std::string& line :
       wrapped("What ADD would bring about, for an invented container" + assumed + ":", screen.width)) {
    text += netlib::printable(line) + "\n";
  }
  std::size_t number = 0;
  for (const PlannedState& state : plugin.plan) {
    const std::string count = std::to_string(++number);
    text += std::string(count.size() < 2 ? 3 : 2, ' ') + count + ". " + netlib::printable(state.name) +
            (state.shared ? ", shared" : "") + "\n";
  }
  return text;
}

std::string pluginText(const Explained& whole, const ExplainedPlugin& plugin, const Screen& screen) {
  if (plugin.mistake) return mistakeText(whole, *plugin.mistake, screen);
  if (!plugin.isOurs) return "  a plugin of others: not looked at\n";
  return keysText(plugin, screen) + ignoredText(plugin.ignored, screen) + planText(plugin, screen);
}

}  // namespace

std::string explainText(const Explained& whole, const Screen& screen) {
  if (whole.mistake) return mistakeText(whole, *whole.mistake, screen);
  std::string text = "network " + netlib::printable(whole.network) + ", CNI " + netlib::printable(whole.version) + "\n";
  text += ignoredText(whole.ignored, screen);
  for (const ExplainedPlugin& plugin : whole.plugins) {
    text += "\nplugin " + netlib::printable(plugin.type) + ":\n" + pluginText(whole, plugin, screen);
  }
  return text;
}

}  // namespace pons::tools
