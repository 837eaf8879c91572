// Network configurations, and the usage of pools and bridges.
#include <algorithm>
#include <set>

#include <sys/stat.h>
#include <unistd.h>

#include "netlib/base/text.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/networks.h"

namespace pons::ctl {

namespace {

constexpr const char* kArea = "networks";

void checkPools(CheckResults& results, const NetworkState& network) {
  for (const Pool& pool : network.pools) {
    const std::string what = network.name + " has " + textOfCount(pool.free()) + " of " + textOfCount(pool.size) +
                             " addresses left in " + pool.ranges;
    if (pool.free() == 0) {
      results.push_back({Severity::Fault, kArea, what,
                         "\"ponsctl gc\" finds addresses of stopped containers; else configure a larger range"});
    } else if (pool.free() < pool.size / 10) {
      results.push_back({Severity::Warning, kArea, what, "configure a larger range"});
    }
  }
}

void checkPorts(CheckResults& results, const NetworkState& network) {
  if (!network.ports || *network.ports * 10 < kMaxPorts * 9) return;
  results.push_back({*network.ports < kMaxPorts ? Severity::Warning : Severity::Fault, kArea,
                     "bridge " + network.bridge + " has " + std::to_string(*network.ports) + " of " +
                         std::to_string(kMaxPorts) + " ports (kernel limit)",
                     "use another network with its own bridge"});
}

bool isInstalledIn(const std::string& directories) {
  return std::ranges::any_of(netlib::split(directories, ':'), [](std::string_view directory) {
    return access((std::string{directory} + "/pons").c_str(), X_OK) == 0;
  });
}

/// Whether DIRECTORY/TYPE is the same file as DIRECTORY/pons, by a symbolic or hard link.
bool isPonsIn(const std::string& directory, const std::string& type) {
  struct stat own {};
  struct stat named {};
  if (stat((directory + "/pons").c_str(), &own) != 0 || stat((directory + "/" + type).c_str(), &named) != 0)
    return false;
  return own.st_dev == named.st_dev && own.st_ino == named.st_ino;
}

bool isOurs(const std::string& type, const std::string& directories) {
  if (!appletFor(type)) return false;
  if (appletFor(type) == cni::Applet::Pons) return true;
  return std::ranges::any_of(netlib::split(directories, ':'),
                             [&type](std::string_view directory) { return isPonsIn(std::string{directory}, type); });
}

void checkPlugin(CheckResults& results, const Arguments& arguments, bool isNeeded) {
  if (isInstalledIn(arguments.pluginPath)) return;
  results.push_back({isNeeded ? Severity::Fault : Severity::Note, kArea,
                     "no plugin \"pons\" in " + arguments.pluginPath + (isNeeded ? ", but networks need it" : ""),
                     "scripts/install /opt/cni/bin; if the runtime uses another directory, set CNI_PATH"});
}

}  // namespace

ConfiguredNetworks checkConfigs(CheckResults& results, const Arguments& arguments) {
  const std::size_t before = results.size();
  ConfDirectory files = readConfDirectory(arguments.configDir);
  for (const std::string& problem : files.problems) {
    results.push_back({Severity::Fault, kArea, problem, "run \"ponsctl explain FILE\" for line and column"});
  }
  ConfiguredNetworks networks;
  bool any = false;
  for (const NetworkConf& conf : files.networks) {
    for (const PluginConf& plugin : conf.plugins) {
      if (!isOurs(plugin.type, arguments.pluginPath)) continue;
      any = true;
      auto request = exampleAdd(plugin, arguments.stateDir);
      if (!request) {
        results.push_back({Severity::Fault, kArea, conf.file + ": " + request.error().message,
                           "run \"ponsctl explain " + conf.file + "\" for line and column"});
      } else if (request->key.plugin == ChainedPlugin::None) {
        networks.push_back({conf.file, request->key.network.toString(), std::move(request->config)});
      }
    }
  }
  checkPlugin(results, arguments, any);
  if (!any) {
    results.push_back({Severity::Note, kArea, "no network of pons is configured in " + arguments.configDir});
  }
  if (results.size() == before) {
    results.push_back({Severity::Fine, kArea,
                       counted(networks.size(), "configuration") + " of pons in " + arguments.configDir +
                           " valid, the plugin is in " + arguments.pluginPath});
  }
  return networks;
}

void checkNetworks(CheckResults& results, const Arguments& arguments) {
  const std::size_t before = results.size();
  const auto networks = networksOf(arguments);
  if (!networks) return;          // the ledger cannot be read: reported by checkRecords()
  std::set<std::string> bridges;  // networks may share one
  for (const NetworkState& network : networks->all) {
    checkPools(results, network);
    if (bridges.insert(network.bridge).second) checkPorts(results, network);
  }
  if (results.size() > before || networks->all.empty()) return;
  results.push_back({Severity::Fine, kArea,
                     counted(networks->all.size(), "network") + ", free addresses and bridge ports available"});
}

}  // namespace pons::ctl
