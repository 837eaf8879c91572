// Network configurations as they lie on the disk: a single one, or a list of plugins.
#pragma once

#include <string>
#include <vector>

#include "plugin/cni/decode/request.h"

namespace pons::tools {

/// What one plugin of the network gets on stdin, without what only a running container has.
struct PluginConf {
  std::string type;
  std::string path;                            ///< where in the file: "" of a single configuration, else "plugins[0]"
  std::string input;                           ///< its object, with the network's name and version put into it
  std::vector<std::string> capabilities = {};  ///< those that it declares
};

struct NetworkConf {
  std::string file;
  std::string name;     ///< as it is there, valid or not
  std::string version;  ///< likewise
  std::vector<PluginConf> plugins;
};

/// From the text of a file. Decode with line and column where it is not JSON, InvalidConfig where it is neither a
/// configuration nor a list of them.
cni::Result<NetworkConf> parseConf(std::string_view text, const std::string& file);

/// ENOENT and the like, else as parseConf().
cni::Result<NetworkConf> readConf(const std::string& file);

/// A directory's configurations in the order in which runtimes take them, and what kept others from being read.
struct ConfDirectory {
  std::vector<NetworkConf> networks = {};
  std::vector<std::string> problems = {};
};
ConfDirectory readConfDirectory(const std::string& directory);

/// The applet that answers to that type; nothing where it is a plugin of others.
std::optional<cni::Applet> appletFor(const std::string& type);

/// An ADD of this plugin for a container that nobody has. `stateDir` is where the ledger is unless the plugin says.
cni::Result<cni::Request> inventedAdd(const PluginConf& plugin, const std::string& stateDir);

}  // namespace pons::tools
