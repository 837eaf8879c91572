// Networks: what their configurations say, and how full they are.
#include <algorithm>

#include <sys/stat.h>
#include <unistd.h>

#include "netlib/base/text.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/networks.h"
#include "plugin/ctl/words.h"

namespace pons::tools {

namespace {

constexpr const char* kArea = "networks";

void lookAtPools(Diagnoses& diagnoses, const NetworkState& network) {
  for (const Pool& pool : network.pools) {
    const std::string what = network.name + " has " + textOfCount(pool.free()) + " of " + textOfCount(pool.size) +
                             " addresses left in " + pool.ranges;
    if (pool.free() == 0) {
      diagnoses.push_back({Verdict::Fault, kArea, what, "pons gc finds those of dead containers; or a larger range"});
    } else if (pool.free() < pool.size / 10) {
      diagnoses.push_back({Verdict::Warning, kArea, what, "a larger range"});
    }
  }
}

void lookAtPorts(Diagnoses& diagnoses, const NetworkState& network) {
  if (!network.ports || *network.ports * 10 < kMaxPorts * 9) return;
  diagnoses.push_back({*network.ports < kMaxPorts ? Verdict::Warning : Verdict::Fault, kArea,
                       "bridge " + network.bridge + " has " + std::to_string(*network.ports) + " of " +
                           std::to_string(kMaxPorts) + " ports, the most that the kernel allows",
                       "another network with a bridge of its own"});
}

bool isInstalledIn(const std::string& directories) {
  return std::ranges::any_of(netlib::split(directories, ':'), [](std::string_view directory) {
    return access((std::string{directory} + "/pons").c_str(), X_OK) == 0;
  });
}

/// A name under which the directory has pons, too: a link, or another name of the same file.
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

void lookForPlugin(Diagnoses& diagnoses, const Arguments& arguments, bool isNeeded) {
  if (isInstalledIn(arguments.pluginPath)) return;
  diagnoses.push_back(
      {isNeeded ? Verdict::Fault : Verdict::Note, kArea,
       "there is no plugin \"pons\" in " + arguments.pluginPath + (isNeeded ? ", and networks need it" : ""),
       "scripts/install /opt/cni/bin; where the runtime looks elsewhere, say so in CNI_PATH"});
}

}  // namespace

std::vector<cni::Config> lookAtConfigs(Diagnoses& diagnoses, const Arguments& arguments) {
  ConfDirectory files = readConfDirectory(arguments.configDir);
  for (const std::string& problem : files.problems) {
    diagnoses.push_back({Verdict::Fault, kArea, problem, "pons explain tells the place"});
  }
  std::vector<cni::Config> configs;
  bool any = false;
  for (const NetworkConf& conf : files.networks) {
    for (const PluginConf& plugin : conf.plugins) {
      if (!isOurs(plugin.type, arguments.pluginPath)) continue;
      any = true;
      auto request = inventedAdd(plugin, arguments.stateDir);
      if (!request) {
        diagnoses.push_back({Verdict::Fault, kArea, conf.file + ": " + request.error().message,
                             "pons explain " + conf.file + " tells the place"});
      } else if (request->key.plugin == ChainedPlugin::None) {
        configs.push_back(std::move(request->config));
      }
    }
  }
  lookForPlugin(diagnoses, arguments, any);
  if (!any) {
    diagnoses.push_back({Verdict::Note, kArea, "no network of pons is configured in " + arguments.configDir});
  }
  return configs;
}

void lookAtNetworks(Diagnoses& diagnoses, const Arguments& arguments) {
  const std::size_t before = diagnoses.size();
  const auto networks = networksOf(arguments);
  if (!networks) return;  // the ledger cannot be read: told of the records
  for (const NetworkState& network : networks->all) {
    lookAtPools(diagnoses, network);
    lookAtPorts(diagnoses, network);
  }
  if (diagnoses.size() > before || networks->all.empty()) return;
  diagnoses.push_back(
      {Verdict::Fine, kArea, counted(networks->all.size(), "network") + ", with addresses and ports to spare"});
}

}  // namespace pons::tools
