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
#include "plugin/ctl/format.h"

namespace pons::ctl {

using cni::Applet;

namespace {

/// One plugin of the file, and what decoding it has read.
struct PluginSource {
  const std::string& text;  ///< of the whole file
  const PluginConf& conf;
  Applet applet;
  const cni::KeysRead& keysRead;
  bool foreignIpam;
};

std::string under(const std::string& path, std::string_view key) {
  return path.empty() ? std::string{key} : path + "." + std::string{key};
}

/// Printed once for the whole network.
bool isNetworkKey(const std::string& key) {
  const std::string lower = netlib::lowerCase(key);
  return lower == "name" || lower == "cniversion" || lower == "type";
}

bool isLibcniKey(const std::string& key) {
  return isNetworkKey(key) || netlib::lowerCase(key).starts_with("capabilities");
}

/// A capability has an effect if pons reads the key of runtimeConfig that the runtime fills for it.
bool isUnknownCapability(const PluginSource& source, const std::string& key) {
  constexpr std::string_view kPrefix = "capabilities.";
  return key.starts_with(kPrefix) && !source.keysRead.has("runtimeConfig." + key.substr(kPrefix.size()));
}

/// Empty if the key has an effect.
std::string reasonIgnored(const PluginSource& source, const std::string& key) {
  if (source.foreignIpam && key.starts_with("ipam.")) return {};
  if (isUnknownCapability(source, key)) return "not used by pons";
  if (isLibcniKey(key) || source.keysRead.has(key)) return {};
  const std::string_view similar = similarKey(source.applet, key);
  return similar.empty() ? "unknown key" : "unknown key; did you mean \"" + std::string{similar} + "\"?";
}

/// The ignored keys below one that has an effect.
void addIgnoredBelow(ExplainedPlugin& plugin, const PluginSource& source, const json::Value& value,
                     const std::string& path) {
  std::size_t index = 0;
  for (const json::Value& item : value.items()) {
    addIgnoredBelow(plugin, source, item, path + "[" + std::to_string(index++) + "]");
  }
  for (const auto& [name, member] : value.members()) {
    const std::string key = under(path, name);
    const std::string why = reasonIgnored(source, key);
    if (why.empty()) {
      addIgnoredBelow(plugin, source, member, key);
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

void addKeys(ExplainedPlugin& plugin, const PluginSource& source, const json::Value& object, const std::string& path) {
  for (const auto& [name, value] : object.members()) {
    const std::string key = under(path, name);
    if (isNetworkKey(key) || !reasonIgnored(source, key).empty()) continue;
    if (isGroup(key) && !value.members().empty()) {
      addKeys(plugin, source, value, key);
      continue;
    }
    std::string effect{effectOf(source.applet, key, value.boolean() == false)};
    if (source.foreignIpam && key.starts_with("ipam.") && key != "ipam.type") effect = "passed to the IPAM plugin";
    if (effect.empty()) effect = "has an effect";
    plugin.keys.push_back({key, value.text(), effect});
  }
}

/// The defaults of absent keys that have an effect.
void addDefaults(ExplainedPlugin& plugin, const PluginSource& source, const json::Value& root,
                 const cni::Config& config) {
  const auto add = [&](const std::string& key, const std::string& value) {
    if (root[key].present()) return;
    plugin.keys.push_back({key, value, std::string{effectOf(source.applet, key, value == "false")}, true});
  };
  const auto addFlag = [&add](const std::string& key, bool flag) { add(key, flag ? "true" : "false"); };
  add("bridge", "\"" + config.bridge.toString() + "\"");
  addFlag("isGateway", config.isGateway);
  addFlag("isDefaultGateway", config.isDefaultGateway);
  addFlag("ipMasq", !config.masquerade.empty());
  addFlag("hairpinMode", config.hairpin);
  addFlag("macspoofchk", config.guard != SpoofGuard::None);
  if (config.guard != SpoofGuard::None) addFlag("ipSpoofCheck", config.guard == SpoofGuard::Address);
  if (source.applet == Applet::Pons) add("forward", config.acceptForward ? "\"auto\"" : "\"off\"");
}

/// The position in the file. The name and version of a list are at its top level.
std::optional<json::Place> placeOf(const PluginSource& source, const std::string& key) {
  if (key.empty()) return json::placeOf(source.text, source.conf.path);
  std::string path = under(source.conf.path, key);
  if (auto place = json::placeOf(source.text, path)) return place;
  if (auto place = json::placeOf(source.text, key)) return place;
  // A missing key has the position of the object in which it is missing.
  for (std::size_t end = path.find_last_of(".["); end != std::string::npos; end = path.find_last_of(".[")) {
    path.resize(end);
    if (auto place = json::placeOf(source.text, path)) return place;
  }
  return json::placeOf(source.text, "");
}

ExplainedPlugin explain(const std::string& text, const PluginConf& conf, const std::string& stateDir) {
  ExplainedPlugin plugin{.type = conf.type};
  const auto applet = appletFor(conf.type);
  if (!applet) return plugin;
  plugin.isOurs = true;
  const cni::KeysRead keysRead;
  const auto request = exampleAdd(conf, stateDir);
  const auto document = json::Document::parse(conf.input);
  if (!document) return plugin;  // cannot fail: the whole file has been parsed
  const json::Value root = document->root();
  const bool foreignIpam = request && request->config.delegated.has_value();
  const PluginSource source{text, conf, *applet, keysRead, foreignIpam};
  if (!request) {
    const cni::Error& error = request.error();
    plugin.error = ConfigError{error.message, error.details, placeOf(source, error.key)};
    return plugin;
  }
  addKeys(plugin, source, root, "");
  addIgnoredBelow(plugin, source, root, "");
  if (*applet != Applet::Pons && *applet != Applet::Bridge) return plugin;
  addDefaults(plugin, source, root, request->config);
  addPlan(plugin, *request);
  return plugin;
}

/// The keys of a configuration list are those of libcni.
std::vector<IgnoredKey> ignoredInList(const json::Value& root) {
  constexpr std::array<std::string_view, 7> kKeys{
      "cniVersion", "cniVersions", "name", "plugins", "disableCheck", "disableGC", "loadOnlyInlinedPlugins"};
  std::vector<IgnoredKey> ignored;
  if (!root["plugins"].present()) return ignored;
  for (const auto& [name, value] : root.members()) {
    const std::string key{name};
    const bool known =
        std::ranges::any_of(kKeys, [&](std::string_view k) { return netlib::equalIgnoringCase(k, key); });
    if (!known)
      ignored.push_back({key, value.text(), "not a key of a configuration list; does it belong to a plugin?"});
  }
  return ignored;
}

}  // namespace

bool Explained::isValid() const {
  return !error &&
         std::ranges::none_of(plugins, [](const ExplainedPlugin& plugin) { return plugin.error.has_value(); });
}

Explained explained(const std::string& text, const std::string& file, const std::string& stateDir) {
  Explained whole{.file = file};
  const auto conf = parseConf(text, file);
  if (!conf) {
    const auto broken = json::syntaxErrorIn(text);
    whole.error = ConfigError{conf.error().message, conf.error().details,
                              broken ? broken : json::placeOf(text, conf.error().key)};
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
  if (text.failedWith(ENOENT))
    return failure("explain", {netlib::Cause::Missing, 0, "no file \"" + arguments.subject + "\""});
  if (!text) return failure("explain", text.error());
  const Explained whole = explained(*text, arguments.subject, arguments.stateDir);
  const int exitCode = whole.isValid() ? 0 : kFailed;
  return {exitCode, arguments.json ? explainJson(whole) : explainText(whole, arguments.terminal), {}};
}

}  // namespace pons::ctl
