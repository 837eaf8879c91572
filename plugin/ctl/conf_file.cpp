#include "plugin/ctl/conf_file.h"

#include <algorithm>

#include "plugin/ctl/files.h"

namespace pons::ctl {

using cni::ErrorCode;

namespace {

std::string textIn(const json::Value& value) { return std::string{value.string().value_or("")}; }

/// With the name and version of the list, like libcni; of duplicate members, the last one counts.
std::string withHead(const json::Value& plugin, const json::Value& head) {
  std::string text = plugin.text();
  text.pop_back();
  const std::string separator = plugin.members().empty() ? "" : ",";
  return text + separator + R"("name":)" + head["name"].text() + R"(,"cniVersion":)" + head["cniVersion"].text() + "}";
}

/// With what a runtime would add: a published port if the plugin has the capability, and the previous result.
std::string withExampleInput(const PluginConf& plugin, bool isChained) {
  std::string text = plugin.input;
  text.pop_back();
  const auto& declared = plugin.capabilities;
  const bool mayPublish = std::ranges::find(declared, "portMappings") != declared.end();
  if (mayPublish && plugin.input.find("\"runtimeConfig\"") == std::string::npos) {
    text += R"(,"runtimeConfig":{"portMappings":[{"hostPort":8080,"containerPort":80,"protocol":"tcp"}]})";
  }
  if (isChained) {
    text += R"(,"prevResult":{"cniVersion":"1.0.0","interfaces":[{"name":"eth0","sandbox":"/run/netns/invented"}],)"
            R"("ips":[{"address":"192.0.2.2/24","interface":0}]})";
  }
  return text + "}";
}

PluginConf pluginFrom(const json::Value& plugin, const json::Value& head, std::string path) {
  PluginConf conf{.type = textIn(plugin["type"]), .path = std::move(path), .input = withHead(plugin, head)};
  for (const auto& [name, declared] : plugin["capabilities"].members()) {
    if (declared.boolean().value_or(false)) conf.capabilities.emplace_back(name);
  }
  return conf;
}

}  // namespace

cni::Result<NetworkConf> parseConf(std::string_view text, const std::string& file) {
  auto document = json::Document::parse(text);
  if (!document) return cni::fail(ErrorCode::Decode, document.error().message);
  const json::Value root = document->root();
  NetworkConf conf{.file = file, .name = textIn(root["name"]), .version = textIn(root["cniVersion"]), .plugins = {}};
  if (!root["plugins"].present()) {
    if (textIn(root["type"]).empty()) {
      return cni::fail(ErrorCode::InvalidConfig,
                       "neither \"type\" (configuration) nor \"plugins\" (configuration list) is present");
    }
    conf.plugins.push_back(pluginFrom(root, root, ""));
    return conf;
  }
  for (const json::Value& plugin : root["plugins"].items()) {
    const std::string path = "plugins[" + std::to_string(conf.plugins.size()) + "]";
    if (textIn(plugin["type"]).empty()) {
      return cni::withKey(path, cni::fail(ErrorCode::InvalidConfig, "\"" + path + ".type\" is missing"));
    }
    conf.plugins.push_back(pluginFrom(plugin, root, path));
  }
  if (conf.plugins.empty()) {
    return cni::withKey("plugins", cni::fail(ErrorCode::InvalidConfig, "\"plugins\" must be a non-empty array"));
  }
  return conf;
}

cni::Result<NetworkConf> readConf(const std::string& file) {
  const std::string text = TRY(readText(file));
  return parseConf(text, file);
}

ConfDirectory readConfDirectory(const std::string& directory) {
  ConfDirectory read;
  for (const std::string& file : filesIn(directory, kConfEndings)) {
    auto conf = readConf(file);
    if (conf) {
      read.networks.push_back(std::move(*conf));
    } else {
      read.problems.push_back(file + ": " + conf.error().message);
    }
  }
  return read;
}

ConfiguredPlugins pluginsIn(const Arguments& arguments) {
  ConfDirectory files = readConfDirectory(arguments.configDir);
  ConfiguredPlugins plugins{.problems = std::move(files.problems)};
  for (const NetworkConf& conf : files.networks) {
    for (const PluginConf& plugin : conf.plugins) {
      if (!appletFor(plugin.type)) continue;
      plugins.all.push_back({conf.file, conf.name, plugin.type, exampleAdd(plugin, arguments.stateDir)});
    }
  }
  return plugins;
}

std::optional<cni::Applet> appletFor(const std::string& type) {
  const cni::Applet applet = cni::appletOf(type);
  return cni::nameOf(applet) == type ? std::optional{applet} : std::nullopt;
}

cni::Result<cni::Request> exampleAdd(const PluginConf& plugin, const std::string& stateDir) {
  const cni::Environment environment{.command = "ADD",
                                     .containerId = "invented",
                                     .netns = "/run/netns/invented",
                                     .ifName = "eth0",
                                     .args = {},
                                     .path = {},
                                     .stateDir = stateDir,
                                     .applet = appletFor(plugin.type).value_or(cni::Applet::Pons)};
  const bool isChained = cni::chainedPluginOf(environment.applet) != ChainedPlugin::None;
  return cni::parseRequest(cni::Verb::Add, environment, withExampleInput(plugin, isChained));
}

}  // namespace pons::ctl
