// Network configuration files: a single configuration, or a configuration list.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/decode/request.h"
#include "plugin/ctl/arguments.h"

namespace pons::ctl {

/// What the runtime passes to one plugin of the network on stdin, without what depends on the container.
struct PluginConf {
  std::string type;
  std::string path;   ///< position in the file: "" for a single configuration, else "plugins[0]"
  std::string input;  ///< its object, with the name and cniVersion of the network
  std::vector<std::string> capabilities = {};  ///< that are true
};

struct NetworkConf {
  std::string file;
  std::string name;     ///< not validated
  std::string version;  ///< not validated
  std::vector<PluginConf> plugins;
};

/// Parses the content of `file`. Decode, with line and column, if it is not JSON; InvalidConfig if it is neither a
/// configuration nor a configuration list.
cni::Result<NetworkConf> parseConf(std::string_view text, const std::string& file);

/// Reads and parses a file. Errors as parseConf(), and of reading.
cni::Result<NetworkConf> readConf(const std::string& file);

/// Of the names of configuration files.
inline const std::vector<std::string> kConfEndings{".conf", ".conflist", ".json"};

/// The configurations of a directory in lexical order, as libcni reads them, and the errors of invalid files.
struct ConfDirectory {
  std::vector<NetworkConf> networks = {};
  std::vector<std::string> problems = {};
};
ConfDirectory readConfDirectory(const std::string& directory);

/// A plugin of pons in a configuration of `Arguments::configDir`.
struct ConfiguredPlugin {
  std::string file;
  std::string network;  ///< not validated
  std::string type;
  cni::Result<cni::Request> request;  ///< see exampleAdd()

  /// The file, and why the request is refused.
  std::string problem() const { return file + ": " + request.error().message; }
};
struct ConfiguredPlugins {
  std::vector<ConfiguredPlugin> all = {};
  std::vector<std::string> problems = {};  ///< of files without plugins that can be read, see ConfDirectory
};
ConfiguredPlugins pluginsIn(const Arguments& arguments);

/// The applet of that type; nothing if pons has none.
std::optional<cni::Applet> appletFor(const std::string& type);

/// The ADD of this plugin for an example container. `stateDir` is the default state directory.
cni::Result<cni::Request> exampleAdd(const PluginConf& plugin, const std::string& stateDir);

}  // namespace pons::ctl
