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

void checkPools(Area& area, const NetworkState& network) {
  for (const Pool& pool : network.pools) {
    const std::string what = network.name + " has " + textOfCount(pool.free()) + " of " + textOfCount(pool.size) +
                             " addresses left in " + pool.ranges;
    if (pool.free() == 0) {
      area.fault(FindingId::PoolNearlyFull, what,
                 "\"ponsctl gc\" finds addresses of stopped containers; else configure a larger range");
    } else if (pool.free() < pool.size / 10) {
      area.warning(FindingId::PoolNearlyFull, what, "configure a larger range");
    }
  }
}

void checkPorts(Area& area, const NetworkState& network) {
  if (!network.ports || *network.ports * 10 < kMaxPorts * 9) return;
  area.add(FindingId::BridgeNearlyFull, *network.ports < kMaxPorts ? Severity::Warning : Severity::Fault,
           "bridge " + network.bridge + " has " + std::to_string(*network.ports) + " of " + std::to_string(kMaxPorts) +
               " ports (kernel limit)",
           "use another network with its own bridge");
}

/// The networks whose containers have bridges that forward whatever another host sends.
std::set<std::string> unrestricted(const Statuses& statuses) {
  std::set<std::string> restricted;
  for (const AttachmentStatus& status : statuses) {
    const auto& attachment = status.attachment;
    if (attachment && (attachment->publishedOnly || attachment->internal)) {
      restricted.insert(routedLink(*attachment).toString());
    }
  }
  std::set<std::string> networks;
  for (const AttachmentStatus& status : statuses) {
    const auto& attachment = status.attachment;
    if (!attachment || gatewayAddresses(*attachment).empty()) continue;
    if (!restricted.contains(routedLink(*attachment).toString())) networks.insert(status.key.network.toString());
  }
  return networks;
}

void noteUnrestricted(Area& area, const Statuses& statuses, const Links& uplinks) {
  const auto networks = unrestricted(statuses);
  if (uplinks.empty() || networks.empty()) return;
  area.note(FindingId::AllPortsReachable,
            "other hosts with a route to the containers of " + someOf(networks) + " reach all of their ports",
            R"(with "publishedOnly": true only published ones)");
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
  return type == "pons" || std::ranges::any_of(netlib::split(directories, ':'), [&type](std::string_view directory) {
           return isPonsIn(std::string{directory}, type);
         });
}

void checkPlugin(Area& area, const Arguments& arguments, bool isNeeded) {
  if (isInstalledIn(arguments.pluginPath)) return;
  area.add(FindingId::PluginMissing, isNeeded ? Severity::Fault : Severity::Note,
           "no plugin \"pons\" in " + arguments.pluginPath + (isNeeded ? ", but networks need it" : ""),
           "scripts/install /opt/cni/bin; if the runtime uses another directory, set CNI_PATH");
}

void checkFirst(Area& area, const Arguments& arguments, const ConfiguredNetworks& networks) {
  const auto all = readConfDirectory(arguments.configDir).networks;
  if (networks.empty() || all.empty() || isOurs(all.front().plugins.front().type, arguments.pluginPath)) return;
  area.note(FindingId::OtherNetworkFirst,
            all.front().file + " (network " + all.front().name + ", type " + all.front().plugins.front().type +
                ") sorts before " + networks.front().file + ": containerd and CRI-O use the first network alone",
            "if that is to be " + networks.front().name + ", rename its file");
}

}  // namespace

ConfiguredNetworks checkConfigs(CheckResults& results, const Arguments& arguments) {
  Area area{results, "networks"};
  ConfiguredPlugins plugins = pluginsIn(arguments);
  for (const std::string& problem : plugins.problems) {
    area.fault(FindingId::ConfigInvalid, problem, "run \"ponsctl explain FILE\" for line and column");
  }
  std::erase_if(plugins.all, [&](const auto& plugin) { return !isOurs(plugin.type, arguments.pluginPath); });
  const bool any = !plugins.all.empty();
  ConfiguredNetworks networks;
  for (ConfiguredPlugin& plugin : plugins.all) {
    if (!plugin.request) {
      area.fault(FindingId::ConfigInvalid, plugin.problem(),
                 "run \"ponsctl explain " + plugin.file + "\" for line and column");
    } else if (plugin.request->key.plugin == ChainedPlugin::None) {
      networks.push_back({plugin.file, plugin.network, std::move(plugin.request->config)});
    }
  }
  checkPlugin(area, arguments, any);
  if (!any) area.note(FindingId::NoNetwork, "no network of pons is configured in " + arguments.configDir);
  if (area.found() == 0) {
    area.fine(counted(networks.size(), "configuration") + " of pons in " + arguments.configDir +
              " valid, the plugin is in " + arguments.pluginPath);
  }
  checkFirst(area, arguments, networks);
  return networks;
}

void checkNetworks(CheckResults& results, const Arguments& arguments, const Statuses& statuses, const Links& uplinks) {
  Area area{results, "networks"};
  const auto networks = networksOf(arguments);
  if (!networks) return;          // the ledger cannot be read: reported by checkRecords()
  std::set<std::string> bridges;  // networks may share one
  for (const NetworkState& network : networks->all) {
    checkPools(area, network);
    if (bridges.insert(network.bridge).second) checkPorts(area, network);
  }
  if (area.found() == 0 && !networks->all.empty()) {
    area.fine(counted(networks->all.size(), "network") + ", free addresses and bridge ports available");
  }
  noteUnrestricted(area, statuses, uplinks);
}

}  // namespace pons::ctl
