// The checks of ponsctl doctor. They append their results, change nothing, and run no programs: they read the kernel,
// the ledger and files. Each appends one result at least: what it found, what it looked at in vain, or why it could
// not.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "netlib/nft/hook.h"
#include "netlib/os/kernel_modules.h"

#include "plugin/ctl/arguments.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/doctor.h"
#include "plugin/ctl/status.h"

namespace pons::ctl {

struct ConfiguredNetwork {
  std::string file;
  std::string name;
  cni::Config config;
};
using Statuses = std::vector<AttachmentStatus>;
using ConfiguredNetworks = std::vector<ConfiguredNetwork>;
using Links = std::vector<netlib::link::Link>;

/// What all checks found, and the attachments that they looked at. Invalid unless run as root: what other users
/// cannot read would look like a fault.
struct Diagnosis {
  CheckResults results;
  Statuses statuses;
};
netlib::Result<Diagnosis> diagnose(const Arguments& arguments);

/// What the attachments and the configured networks need of the host.
struct Needs {
  std::map<netlib::Family, std::size_t> addresses = {};   ///< number of container addresses
  std::map<netlib::Family, std::size_t> forwarding = {};  ///< number of attachments that need IP forwarding
  std::set<std::string> bridges = {};
  std::set<std::pair<std::string, std::string>> ipv6Bridges = {};  ///< networks with IPv6 addresses, and their bridges
  bool bridgeFilter = false;                                       ///< br_netfilter, for an egress policy
  bool sendLimit = false;                                          ///< ifb, for the egressRate of bandwidth
};
Needs needsOf(const Statuses& statuses, const ConfiguredNetworks& networks);

/// "c1, c2, c3 and 4 more": containers, for messages.
std::string someOf(const std::set<std::string>& names);

/// Link types, and the nf_tables features that an ADD needs, asked for in transactions that are aborted; or the modules
/// that have them.
void checkKernel(CheckResults& results, const Needs& needs, netlib::KernelModules modules = netlib::KernelModules{});

/// The value of a numeric sysctl, named like "net/ipv4/ip_forward"; nothing if it does not exist.
using ParameterOf = std::function<std::optional<std::uint64_t>(const std::string& name)>;
std::optional<std::uint64_t> parameterOf(const std::string& name);

/// Sysctls, and the usage of the conntrack and neighbour tables.
void checkParameters(CheckResults& results, const Needs& needs, const ParameterOf& parameterOf, const Links& uplinks);

/// The links of default routes; none where they cannot be read.
Links uplinks();

/// Firewalls of other programs: what checkForwarding() finds, input chains that drop, and NAT rules.
void checkFirewalls(CheckResults& results, Host* host, const Statuses& statuses, const Links& uplinks);

/// Forward chains of nf_tables and iptables-legacy that drop packets from containers, replies to them, or connections
/// to their published ports. `chains` are those of all programs; `reader` is null where there are none. `host` is null
/// without a ledger.
void checkForwarding(Area& area, Host* host, netlib::nft::ChainReader* reader,
                     const std::vector<netlib::nft::ListedChain>& chains, const Statuses& statuses,
                     const Links& uplinks);

/// Programs of the host that listen on a published port.
void checkPorts(CheckResults& results, const Statuses& statuses);

/// Attachments with faults, lost reservations, and orphans. `host` is null without a ledger.
void checkRecords(CheckResults& results, Host* host, const Arguments& arguments, const Statuses& statuses);

/// Room for records. Absent where the file system has no limit.
struct Space {
  std::optional<std::uint64_t> bytes = std::nullopt;   ///< free
  std::optional<std::uint64_t> inodes = std::nullopt;  ///< free
};
/// The state directory: whether it is lost, writable and full, and other ones on this host.
void checkStateDirectory(CheckResults& results, Host* host, const Arguments& arguments,
                         const ConfiguredNetworks& networks);
void checkSpace(CheckResults& results, const std::string& directory, const Space& space);

/// Addresses of containers that the host has, MTUs, and nameservers. `host` is null without a ledger.
void checkContainers(CheckResults& results, Host* host, const Statuses& statuses, const ConfiguredNetworks& networks,
                     const Links& uplinks);

/// Invalid configurations, and a missing plugin. Returns the valid configurations.
ConfiguredNetworks checkConfigs(CheckResults& results, const Arguments& arguments);
/// The usage of address pools and bridges, and containers of which other hosts may reach every port.
void checkNetworks(CheckResults& results, const Arguments& arguments, const Statuses& statuses, const Links& uplinks);

/// The files that keep NetworkManager, systemd-networkd and udev off the links of pons, for those of them that run.
/// `root` is prepended to every path, for tests.
void checkManagers(CheckResults& results, const std::set<std::string>& bridges, const std::string& root = {});

}  // namespace pons::ctl
