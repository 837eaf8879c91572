#include "plugin/ctl/explain.h"

#include <algorithm>
#include <array>

#include "netlib/base/text.h"

#include "plugin/ctl/commands.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

using cni::Applet;

namespace {

struct ExplainedKey {
  std::string key;    ///< path in the plugin's object
  std::string value;  ///< as JSON
  std::string effect;
  bool byDefault = false;  ///< absent: `value` is the default
};

struct IgnoredKey {
  std::string key;
  std::string value;  ///< as JSON
  std::string why;
  bool isMistake = true;  ///< false: in a place where others have their keys
};

/// Of a file or a plugin in it.
struct Verdict {
  bool isValid = true;
  std::size_t mistakes = 0;

  void add(const Verdict& part) {
    isValid &= part.isValid;
    mistakes += part.mistakes;
  }
};

std::string under(const std::string& path, std::string_view key) {
  return path.empty() ? std::string{key} : path + "." + std::string{key};
}

/// Printed once for the whole network.
bool isNetworkKey(const std::string& key) {
  const std::string lower = netlib::lowerCase(key);
  return lower == "name" || lower == "cniversion" || lower == "type";
}

std::string effectOf(const cni::Key& key, bool isOff) {
  return std::string{isOff && !key.whenOff.empty() ? key.whenOff : key.text};
}

/// The keys of one plugin that have an effect; of an object those in it, if there are any.
class Effects {
 public:
  Effects(Applet applet, const cni::Config& config, const std::vector<IgnoredKey>& ignored)
      : applet_(applet), config_(config), ignored_(ignored) {}

  std::vector<ExplainedKey> of(const json::Value& root) {
    addMembers(root, "");
    if (applet_ == Applet::Pons || applet_ == Applet::Bridge) addDefaults(root);
    return std::move(keys_);
  }

 private:
  bool isIgnored(const std::string& key) const {
    return std::ranges::any_of(ignored_, [&](const auto& one) { return netlib::equalIgnoringCase(one.key, key); });
  }

  void addMembers(const json::Value& object, const std::string& path) {
    for (const auto& [name, value] : object.members()) {
      const std::string key = under(path, name);
      if (!value.present() || isNetworkKey(key) || isIgnored(key)) continue;
      const std::size_t before = keys_.size();
      const cni::Key* row = cni::findKey(applet_, key);
      const bool isGroup = row != nullptr && (row->kind == cni::Kind::Object || row->kind == cni::Kind::Shared);
      if (isGroup) addMembers(value, key);
      if (keys_.size() == before) keys_.push_back({key, value.text(), effect(row, value)});
    }
  }

  std::string effect(const cni::Key* row, const json::Value& value) const {
    const bool isInIpam = row == nullptr || (row->path.starts_with("ipam.") && row->path != "ipam.type");
    if (config_.delegated && isInIpam) return "passed to the IPAM plugin";
    return row == nullptr ? "has an effect" : effectOf(*row, value.boolean() == false);
  }

  /// The defaults of absent keys that have an effect.
  void addDefaults(const json::Value& root) {
    const auto add = [&](const std::string& key, const std::string& value) {
      const cni::Key* row = cni::findKey(applet_, key);
      if (row == nullptr || root[key].present()) return;
      keys_.push_back({key, value, effectOf(*row, value == "false"), true});
    };
    const auto addFlag = [&add](const std::string& key, bool flag) { add(key, flag ? "true" : "false"); };
    add("bridge", "\"" + config_.bridge.name.toString() + "\"");
    addFlag("isGateway", config_.bridge.gateway);
    addFlag("isDefaultGateway", config_.isDefaultGateway);
    addFlag("ipMasq", !config_.masquerade.empty());
    addFlag("hairpinMode", config_.hairpin);
    addFlag("macspoofchk", config_.guard != SpoofGuard::None);
    if (config_.guard != SpoofGuard::None) addFlag("ipSpoofCheck", config_.guard == SpoofGuard::Address);
    add("forward", config_.acceptForward ? "\"auto\"" : "\"off\"");
  }

  Applet applet_;
  const cni::Config& config_;
  const std::vector<IgnoredKey>& ignored_;
  std::vector<ExplainedKey> keys_ = {};
};

/// Keys that pons does not know, and wrong settings of the log.
std::vector<IgnoredKey> ignoredIn(Applet applet, const cni::Config& config, const json::Value& root) {
  std::vector<IgnoredKey> ignored;
  for (const cni::UnknownKey& key : cni::unknownKeys(applet, root)) {
    ignored.push_back(
        {key.key, key.value, (key.isForeign ? "not used by pons" : "unknown key") + key.hint(), !key.isForeign});
  }
  for (const cni::Error& error : config.ignored) {
    ignored.push_back({error.key, root[error.key].text(), error.message + "; the default is used"});
  }
  return ignored;
}

/// The position in the file. The name and version of a list are at its top level.
std::optional<json::Place> placeOf(const std::string& text, const PluginConf& conf, const std::string& key) {
  if (key.empty()) return json::placeOf(text, conf.path);
  std::string path = under(conf.path, key);
  if (auto place = json::placeOf(text, path)) return place;
  if (auto place = json::placeOf(text, key)) return place;
  // A missing key has the position of the object in which it is missing.
  for (std::size_t end = path.find_last_of(".["); end != std::string::npos; end = path.find_last_of(".[")) {
    path.resize(end);
    if (auto place = json::placeOf(text, path)) return place;
  }
  return json::placeOf(text, "");
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

void writeError(json::Writer& writer, const cni::Error& error, const std::optional<json::Place>& place) {
  writer.key("error").beginObject().member("message", error.message);
  if (!error.details.empty()) writer.member("details", error.details);
  if (place) {
    writeNumber(writer, "line", place->line);
    writeNumber(writer, "column", place->column);
  }
  writer.endObject();
}

void writeIgnored(json::Writer& writer, const std::vector<IgnoredKey>& ignored) {
  writeObjects(writer, "ignored", ignored, [](json::Writer& to, const IgnoredKey& key) {
    to.member("key", key.key).key("value").json(key.value);
    to.member("why", key.why).member("mistake", key.isMistake);
  });
}

void writeKeys(json::Writer& writer, const std::vector<ExplainedKey>& keys, const std::vector<IgnoredKey>& ignored) {
  writeObjects(writer, "keys", keys, [](json::Writer& to, const ExplainedKey& key) {
    to.member("key", key.key).key("value").json(key.value);
    to.member("effect", key.effect).member("default", key.byDefault);
  });
  writeIgnored(writer, ignored);
}

std::size_t mistakesIn(const std::vector<IgnoredKey>& ignored) { return countIf(ignored, &IgnoredKey::isMistake); }

Verdict writePlugin(json::Writer& writer, const std::string& text, const PluginConf& conf,
                    const std::string& stateDir) {
  const auto applet = appletFor(conf.type);
  writer.member("type", conf.type).member("ofPons", applet.has_value());
  const auto document = json::Document::parse(conf.input);  // cannot fail: the whole file has been parsed
  const auto request = exampleAdd(conf, stateDir);
  if (!applet || !document || !request) {
    if (applet && !request) writeError(writer, request.error(), placeOf(text, conf, request.error().key));
    writeKeys(writer, {}, {});
    writePlan(writer, nullptr);
    return {.isValid = !applet || request};
  }
  const std::vector<IgnoredKey> ignored = ignoredIn(*applet, request->config, document->root());
  writeKeys(writer, Effects{*applet, request->config, ignored}.of(document->root()), ignored);
  const bool isMain = *applet == Applet::Pons || *applet == Applet::Bridge;
  writePlan(writer, isMain ? &*request : nullptr);
  return {.isValid = true, .mistakes = mistakesIn(ignored)};
}

/// Of a text that is no configuration.
void writeFileError(json::Writer& writer, const std::string& text, const cni::Error& error) {
  const auto broken = json::syntaxErrorIn(text);
  if (!broken) return writeError(writer, error, json::placeOf(text, error.key));
  writeError(writer, {error.code, "invalid JSON: " + broken->reason}, broken->place);
}

Verdict writeFile(json::Writer& writer, const std::string& text, const std::string& file, const std::string& stateDir) {
  const auto conf = parseConf(text, file);
  writer.member("file", file).member("network", conf ? conf->name : "");
  writer.member("cniVersion", conf ? conf->version : "");
  if (!conf) writeFileError(writer, text, conf.error());
  const auto document = json::Document::parse(text);
  const auto ignored = conf && document ? ignoredInList(document->root()) : std::vector<IgnoredKey>{};
  writeIgnored(writer, ignored);
  Verdict verdict{.isValid = conf.ok(), .mistakes = mistakesIn(ignored)};
  writeObjects(
      writer, "plugins", conf ? conf->plugins : std::vector<PluginConf>{},
      [&](json::Writer& to, const PluginConf& plugin) { verdict.add(writePlugin(to, text, plugin, stateDir)); });
  writer.member("valid", verdict.isValid);
  writeNumber(writer, "mistakes", verdict.mistakes);
  return verdict;
}

/// A file of another name is one only where no key has it.
bool isFileName(const std::string& subject) {
  return subject.find('/') != std::string::npos ||
         std::ranges::any_of(kConfEndings, [&](const std::string& ending) { return subject.ends_with(ending); });
}

/// The file of the network with that name: of several, as libcni does it, the first.
netlib::Result<std::string> fileOfNetwork(const std::string& name, const std::string& directory) {
  std::vector<std::string> known = keyPaths();
  for (const NetworkConf& conf : readConfDirectory(directory).networks) {
    if (conf.name == name) return conf.file;
    known.push_back(conf.name);
  }
  return netlib::fail(netlib::Cause::Missing, unknownWord("key, file or network", name, known));
}

}  // namespace

Explained explained(const std::string& text, const std::string& file, const std::string& stateDir) {
  Verdict verdict;
  std::string json = jsonDocument([&](json::Writer& writer) { verdict = writeFile(writer, text, file, stateDir); });
  return {std::move(json), verdict.isValid, verdict.mistakes > 0};
}

netlib::Result<Answer> explain(const Arguments& arguments) {
  std::string subject = arguments.subject;
  const std::string keys = isFileName(subject) ? "" : keysJson(subject);
  if (!keys.empty()) return answer(arguments, keys, subject.empty() ? keysText : keyDetails);
  if (!exists(subject)) {
    if (isFileName(subject)) return netlib::fail(netlib::Cause::Missing, "no file \"" + subject + "\"");
    subject = TRY(fileOfNetwork(subject, arguments.configDir));
  }
  const Explained whole = explained(TRY(readText(subject)), subject, arguments.stateDir);
  return answer(arguments, whole.json, explainText, whole.isValid && !whole.hasMistakes ? 0 : kFailed);
}

}  // namespace pons::ctl
