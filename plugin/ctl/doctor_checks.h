// The checks of ponsctl doctor. They append their results, change nothing, and run no programs: they read the kernel,
// the ledger and files.
#pragma once

#include <functional>
#include <map>
#include <set>

#include "plugin/ctl/arguments.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/doctor.h"
#include "plugin/ctl/status.h"

namespace pons::ctl {

/// What the attachments and the configured networks need of the host.
struct Needs {
  std::map<netlib::Family, std::size_t> addresses = {};   ///< number of container addresses
  std::map<netlib::Family, std::size_t> forwarding = {};  ///< number of attachments that need IP forwarding
  std::set<std::string> bridges = {};
  bool bridgeFilter = false;  ///< br_netfilter, for an egress policy
  bool sendLimit = false;     ///< ifb, for the egressRate of bandwidth
};
Needs needsOf(const std::vector<AttachmentStatus>& statuses, const std::vector<cni::Config>& configs);

/// Link types, and the nf_tables features that an ADD needs: its tables are checked in a transaction that is aborted.
void checkKernel(CheckResults& results, const Needs& needs);

/// The value of a numeric sysctl, named like "net/ipv4/ip_forward"; nothing if it does not exist.
using ParameterOf = std::function<std::optional<std::uint64_t>(const std::string& name)>;
std::optional<std::uint64_t> parameterOf(const std::string& name);

/// Sysctls, and the usage of the conntrack and neighbour tables. `uplinks` are the links of default routes.
void checkParameters(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf,
                     const std::vector<std::string>& uplinks);
std::vector<std::string> uplinks();

/// Chains that drop forwarded traffic, and other programs with NAT rules. `host` is null without a ledger.
void checkFirewalls(CheckResults& results, Host* host, const std::vector<AttachmentStatus>& statuses);

/// Attachments with faults, and orphans. `host` is null without a ledger.
void checkRecords(CheckResults& results, Host* host, const Arguments& arguments,
                  const std::vector<AttachmentStatus>& statuses);

/// Invalid configurations, and a missing plugin. Returns the valid configurations.
std::vector<cni::Config> checkConfigs(CheckResults& results, const Arguments& arguments);
/// The usage of address pools and bridges.
void checkNetworks(CheckResults& results, const Arguments& arguments);

/// Programs that may try to manage interfaces of pons: udev, NetworkManager, systemd-networkd. `root` is prepended to
/// every path, for tests.
void checkManagers(CheckResults& results, const std::set<std::string>& bridges, const std::string& root = {});

}  // namespace pons::ctl
