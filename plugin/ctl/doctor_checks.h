// What pons doctor looks at. Nothing is changed and no program is run: all is read from the kernel, the ledger and
// files.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "plugin/ctl/arguments.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/doctor.h"
#include "plugin/ctl/stock.h"

namespace pons::tools {

/// What containers, and the networks for those to come, ask of the host.
struct Needs {
  std::map<netlib::Family, std::size_t> addresses = {};   ///< of containers
  std::map<netlib::Family, std::size_t> forwarding = {};  ///< attachments whose host has to forward
  std::set<std::string> bridges = {};
  bool bridgeFilter = false;  ///< an egress policy
  bool sendLimit = false;     ///< a bandwidth's egressRate
};
Needs needsOf(const std::vector<Item>& stock, const std::vector<cni::Config>& configs);

/// Links and nf_tables as the kernel makes them.
void lookAtKernel(Diagnoses& diagnoses, const Needs& needs);

/// A kernel parameter that is a number; nothing where there is none of that name. As netlib/sysctl.h names them.
using ParameterOf = std::function<std::optional<std::uint64_t>(const std::string& name)>;
std::optional<std::uint64_t> parameterOf(const std::string& name);

/// Parameters that stand in the way, and tables of the kernel that run full. `uplinks` are the links of default routes.
void lookAtParameters(Diagnoses& diagnoses, const Needs& needs, const ParameterOf& parameterOf,
                      const std::vector<std::string>& uplinks);
std::vector<std::string> uplinks();

/// Firewalls that drop what containers send, and who else translates addresses. Without a ledger there is no host.
void lookAtFirewalls(Diagnoses& diagnoses, Host* host, const std::vector<Item>& stock);

/// Attachments that are not well, and what was left behind.
void lookAtRecords(Diagnoses& diagnoses, Host* host, const Arguments& arguments, const std::vector<Item>& stock);

/// Configurations that cannot work, and a plugin that is not there. Answers those that can.
std::vector<cni::Config> lookAtConfigs(Diagnoses& diagnoses, const Arguments& arguments);
/// Pools and bridges that run full.
void lookAtNetworks(Diagnoses& diagnoses, const Arguments& arguments);

/// Programs that manage links by themselves: udev, NetworkManager, systemd-networkd. `root` is in front of every path:
/// empty but in tests.
void lookAtManagers(Diagnoses& diagnoses, const std::set<std::string>& bridges, const std::string& root = {});

}  // namespace pons::tools
