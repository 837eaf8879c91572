#include "plugin/ctl/explain.h"

#include <algorithm>
#include <array>

#include "netlib/base/text.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/explain_keys.h"
#include "plugin/ctl/explain_plan.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

using cni::Applet;

namespace {

/// One plugin of the file, on the way to its explanation.
struct Reading {
  const std::string& text;  ///< of the whole file
  const PluginConf& conf;
  Applet applet;
  const cni::KeysAsked& asked;
  bool foreignIpam;
};

std::string under(const std::string& path, std::string_view key) {
  return path.empty() ? std::string{key} : path + "." + std::string{key};
}

/// Said of the whole network, and told at the top.
bool isOfTheNetwork(const std::string& key) {
  const std::string lower = netlib::lowerCase(key);
  return lower == "name" || lower == "cniversion" || lower == "type";
}

bool isLibcnis(const std::string& key) {
  return isOfTheNetwork(key) || netlib::lowerCase(key).starts_with("capabilities");
}

/// A capability counts where pons asks for what the runtime then says.
bool isUnknownCapability(const Reading& reading, const std::string& key) {
  constexpr std::string_view kPrefix = "capabilities.";
  return key.starts_with(kPrefix) && !reading.asked.has("runtimeConfig." + key.substr(kPrefix.size()));
}

/// Empty where the key counts.
std::string whyIgnored(const Reading& reading, const std::string& key) {
  if (reading.foreignIpam && key.starts_with("ipam.")) return {};
  if (isUnknownCapability(reading, key)) return "pons has no use for it";
  if (isLibcnis(key) || reading.asked.has(key)) return {};
  const std::string_view similar = similarTo(reading.applet, key);
  return similar.empty() ? "pons does not know it" : "pons does not know it: is it \"" + std::string{similar} + "\"?";
}

/// What is ignored below a key that counts.
void addIgnoredBelow(ExplainedPlugin& plugin, const Reading& reading, const json::Value& value,
                     const std::string& path) {
  std::size_t index = 0;
  for (const json::Value& item : value.items()) {
    addIgnoredBelow(plugin, reading, item, path + "[" + std::to_string(index++) + "]");
  }
  for (const auto& [name, member] : value.members()) {
    const std::string key = under(path, name);
    const std::string why = whyIgnored(reading, key);
    if (why.empty()) {
      addIgnoredBelow(plugin, reading, member, key);
    } else {
      plugin.ignored.push_back({key, member.text(), why});
    }
  }
}

/// The keys of these objects are explained one by one.
bool isGroup(const std::string& key) {
  constexpr std::array<std::string_view, 5> kGroups{"ipam", "dns", "capabilities", "runtimeConfig", "egressPolicy"};
  return std::ranges::find(kGroups, key) != kGroups.end();
}

void addKeys(ExplainedPlugin& plugin, const Reading& reading, const json::Value& object, const std::string& path) {
  for (const auto& [name, value] : object.members()) {
    const std::string key = under(path, name);
    if (isOfTheNetwork(key) || !whyIgnored(reading, key).empty()) continue;
    if (isGroup(key) && !value.members().empty()) {
      addKeys(plugin, reading, value, key);
      continue;
    }
    std::string effect{effectOf(reading.applet, key, value.boolean() == false)};
    if (reading.foreignIpam && key.starts_with("ipam.") && key != "ipam.type") effect = "for the IPAM plugin";
    if (effect.empty()) effect = "is taken into account";
    plugin.keys.push_back({key, value.text(), effect});
  }
}

/// What is not there and means something nevertheless.
void addDefaults(ExplainedPlugin& plugin, const Reading& reading, const json::Value& root, const cni::Config& config) {
  const auto add = [&](const std::string& key, const std::string& value) {
    if (root[key].present()) return;
    plugin.keys.push_back({key, value, std::string{effectOf(reading.applet, key, value == "false")}, true});
  };
  const auto addFlag = [&add](const std::string& key, bool flag) { add(key, flag ? "true" : "false"); };
  add("bridge", "\"" + config.bridge.toString() + "\"");
  addFlag("isGateway", config.isGateway);
  addFlag("isDefaultGateway", config.isDefaultGateway);
  addFlag("ipMasq", !config.masquerade.empty());
  addFlag("hairpinMode", config.hairpin);
  addFlag("macspoofchk", config.guard != SpoofGuard::None);
  if (config.guard != SpoofGuard::None) addFlag("ipSpoofCheck", config.guard == SpoofGuard::Address);
  if (reading.applet == Applet::Pons) add("forward", config.acceptForward ? "\"auto\"" : "\"off\"");
}

/// In the file, the name and the version of a list stand beside the plugins.
std::optional<json::Place> placeOf(const Reading& reading, const std::string& key) {
  if (key.empty()) return json::placeOf(reading.text, reading.conf.path);
  std::string path = under(reading.conf.path, key);
  if (auto place = json::placeOf(reading.text, path)) return place;
  if (auto place = json::placeOf(reading.text, key)) return place;
  // What is missing is told at the object in which it is missing.
  for (std::size_t end = path.find_last_of(".["); end != std::string::npos; end = path.find_last_of(".[")) {
    path.resize(end);
    if (auto place = json::placeOf(reading.text, path)) return place;
  }
  return json::placeOf(reading.text, "");
}

ExplainedPlugin explain(const std::string& text, const PluginConf& conf, const std::string& stateDir) {
  ExplainedPlugin plugin{.type = conf.type};
  const auto applet = appletFor(conf.type);
  if (!applet) return plugin;
  plugin.isOurs = true;
  const cni::KeysAsked asked;
  const auto request = inventedAdd(conf, stateDir);
  const auto document = json::Document::parse(conf.input);
  if (!document) return plugin;  // the whole file has been read
  const json::Value root = document->root();
  const bool foreignIpam = request && request->config.delegated.has_value();
  const Reading reading{text, conf, *applet, asked, foreignIpam};
  if (!request) {
    const cni::Error& error = request.error();
    plugin.mistake = Mistake{error.message, error.details, placeOf(reading, error.key)};
    return plugin;
  }
  addKeys(plugin, reading, root, "");
  addIgnoredBelow(plugin, reading, root, "");
  if (*applet != Applet::Pons && *applet != Applet::Bridge) return plugin;
  addDefaults(plugin, reading, root, request->config);
  addPlan(plugin, *request);
  return plugin;
}

/// A list has few keys of its own, all of them libcni's.
std::vector<IgnoredKey> ignoredInList(const json::Value& root) {
  constexpr std::array<std::string_view, 7> kKeys{
      "cniVersion", "cniVersions", "name", "plugins", "disableCheck", "disableGC", "loadOnlyInlinedPlugins"};
  std::vector<IgnoredKey> ignored;
  if (!root["plugins"].present()) return ignored;
  for (const auto& [name, value] : root.members()) {
    const std::string key{name};
    const bool known =
        std::ranges::any_of(kKeys, [&](std::string_view k) { return netlib::equalIgnoringCase(k, key); });
    if (!known) ignored.push_back({key, value.text(), "a list has no such key: is it one of a plugin's?"});
  }
  return ignored;
}

}  // namespace

bool Explained::works() const {
  return !mistake &&
         std::ranges::none_of(plugins, [](const ExplainedPlugin& plugin) { return plugin.mistake.has_value(); });
}

Explained explained(const std::string& text, const std::string& file, const std::string& stateDir) {
  Explained whole{.file = file};
  const auto conf = parseConf(text, file);
  if (!conf) {
    const auto broken = json::syntaxErrorIn(text);
    whole.mistake =
        Mistake{conf.error().message, conf.error().details, broken ? broken : json::placeOf(text, conf.error().key)};
    return whole;
  }
  whole.network = conf->name;
  whole.version = conf->version;
  if (const auto document = json::Document::parse(text)) whole.ignored = ignoredInList(document->root());
  for (const PluginConf& plugin : conf->plugins) whole.plugins.push_back(explain(text, plugin, stateDir));
  return whole;
}

Answer explain(const Arguments& arguments) {
  const auto text = readText(arguments.subject);
  if (!text) return failure("explain", text.error());
  const Explained whole = explained(*text, arguments.subject, arguments.stateDir);
  const int exitCode = whole.works() ? 0 : kFailed;
  return {exitCode, arguments.json ? explainJson(whole) : explainText(whole, arguments.screen), {}};
}

}  // namespace pons::tools
