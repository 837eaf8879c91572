// The data of ponsctl networks: configurations, ledger and kernel.
#include <algorithm>
#include <map>

#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/networks.h"
#include "plugin/ledger/host_local.h"

namespace pons::ctl {

using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

std::string textOf(const Range& range) {
  const auto whole = Range::make(range.subnet, std::nullopt, std::nullopt, range.gateway);
  if (whole && whole->start == range.start && whole->end == range.end) return range.subnet.toString();
  return range.span().toString();
}

Pool poolOf(const RangeSet& set, const std::vector<IpPrefix>& excluded, const std::vector<IpAddress>& leased) {
  const AddressPool pool{set, excluded};
  std::vector<std::string> ranges;
  for (const Range& range : set) ranges.push_back(textOf(range));
  return {.ranges = joined(ranges), .size = pool.size(), .used = pool.indexesOf(leased).size()};
}

/// What cannot be leased to others: also what other networks on the bridge have.
std::vector<IpAddress> leasesOf(std::optional<Host>& host, const NetworkName& network, const netlib::IfName& bridge,
                                const std::optional<std::string>& hostLocalDir) {
  std::vector<IpAddress> leased;
  const auto append = [&leased](const netlib::Result<std::vector<IpAddress>>& more) {
    if (more) leased.insert(leased.end(), more->begin(), more->end());
  };
  if (host) {
    append(host->ledger.leased(network));
    const auto networks = host->ledger.networksOn(bridge);
    for (std::size_t i = 0; networks && i < networks->size(); ++i) append(host->ledger.leased((*networks)[i]));
  }
  if (!hostLocalDir) return leased;
  const auto files = HostLocal::peek(*hostLocalDir, network);
  if (files && *files) append((*files)->all());
  return leased;
}

std::string ipamOf(const cni::Config& config) {
  if (config.delegated) return config.delegated->type;
  if (config.addresses.hostLocalDir) return "host-local";
  return config.addresses.fixed.empty() ? "" : "static";
}

NetworkState configured(std::optional<Host>& host, const std::string& file, const cni::Request& request) {
  const cni::Config& config = request.config;
  NetworkState network{.name = request.key.network.toString(),
                       .bridge = config.bridge.name.toString(),
                       .ipam = ipamOf(config),
                       .origin = file};
  const auto leased = leasesOf(host, request.key.network, config.bridge.name, config.addresses.hostLocalDir);
  for (const RangeSet& set : config.addresses.sets) {
    network.pools.push_back(poolOf(set, config.addresses.excluded, leased));
  }
  return network;
}

/// The ranges in the subnet of one lease; all of it where the record does not tell.
RangeSet rangesAround(const Lease& lease, const std::vector<AddressSpan>& pool) {
  const IpPrefix subnet = lease.address.network();
  RangeSet ranges;
  const auto append = [&](std::optional<IpAddress> first, std::optional<IpAddress> last) {
    if (const auto range = Range::make(subnet, first, last, lease.gateway)) ranges.push_back(*range);
  };
  for (const AddressSpan& span : pool) {
    if (subnet.contains(span.first)) append(span.first, span.last);
  }
  if (ranges.empty()) append(std::nullopt, std::nullopt);
  return ranges;
}

/// A network without a configuration file, from one of its attachments.
NetworkState recorded(std::optional<Host>& host, const Attachment& attachment) {
  NetworkState network{.name = attachment.key.network.toString(), .bridge = attachment.bridge.name.toString()};
  if (attachment.delegated) network.ipam = attachment.delegated->type;
  if (attachment.hostLocalDir) network.ipam = "host-local";
  const auto leased = leasesOf(host, attachment.key.network, attachment.bridge.name, attachment.hostLocalDir);
  for (const Lease& lease : attachment.leases) {
    const RangeSet ranges = rangesAround(lease, attachment.pool);
    if (!ranges.empty()) network.pools.push_back(poolOf(ranges, {}, leased));
  }
  return network;
}

using ByName = std::map<std::string, NetworkState>;

struct Configured {
  ByName own = {};
  ByName bridges = {};  ///< of type "bridge": listed only if pons has attachments of them
};

Configured configuredIn(const Arguments& arguments, std::optional<Host>& host, Networks& networks) {
  Configured found;
  ConfiguredPlugins plugins = pluginsIn(arguments);
  networks.problems = std::move(plugins.problems);
  for (const ConfiguredPlugin& plugin : plugins.all) {
    const bool isMain = plugin.type == "pons" || plugin.type == "bridge";
    if (!isMain || found.own.contains(plugin.network) || found.bridges.contains(plugin.network)) continue;
    if (!plugin.request) {
      networks.problems.push_back(plugin.problem());
      networks.invalid.emplace(plugin.network, plugin.problem());
      continue;
    }
    const std::string& stateDir = plugin.request->config.settings.stateDir;
    if (stateDir == arguments.stateDir) {
      ByName& known = plugin.type == "pons" ? found.own : found.bridges;
      known.emplace(plugin.network, configured(host, plugin.file, *plugin.request));
    } else {
      networks.problems.push_back(plugin.file + ": its ledger is in " + stateDir + ", see --state-dir");
    }
  }
  return found;
}

/// A record that cannot be read counts, but tells nothing of its network.
netlib::Result<ByName> withRecorded(Configured configured, std::optional<Host>& host, Networks& networks) {
  ByName known = std::move(configured.own);
  if (!host) return known;
  for (const AttachmentKey& key : TRY(host->ledger.attachments())) {
    const auto seen = host->ledger.snapshot(key);
    if (!seen) {
      networks.problems.push_back(key.toString() + ": " + seen.error().message);
      ++networks.unreadable;
    }
    if (key.plugin != ChainedPlugin::None) continue;
    const std::string& name = key.network.toString();
    if (auto bridge = configured.bridges.extract(name)) known.insert(std::move(bridge));
    if (!known.contains(name) && seen && *seen) known.emplace(name, recorded(host, (*seen)->attachment));
    if (const auto network = known.find(name); network != known.end()) ++network->second.attachments;
  }
  return known;
}

std::optional<std::size_t> countPorts(netlib::Socket& route, const std::string& bridge) {
  const auto name = netlib::IfName::parse(bridge);
  if (!name) return std::nullopt;
  const auto link = netlib::link::find(route, *name);
  if (!link) return std::nullopt;
  const auto ports = netlib::link::portsOf(route, link->index);
  return ports ? std::optional{ports->size()} : std::nullopt;
}

}  // namespace

netlib::Result<Networks> networksOf(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  Networks networks;
  ByName known = TRY(withRecorded(configuredIn(arguments, host, networks), host, networks));
  auto route = TRY(netlib::Socket::open(netlib::Socket::Subsystem::Route));
  for (auto& [name, network] : known) {
    network.ports = countPorts(route, network.bridge);
    networks.all.push_back(std::move(network));
  }
  return networks;
}

netlib::Result<> requireNetwork(const Arguments& arguments) {
  if (arguments.network.empty()) return {};
  for (const ConfiguredPlugin& plugin : pluginsIn(arguments).all) {
    if (plugin.network == arguments.network && plugin.request) return {};
  }
  const Networks networks = TRY(networksOf(arguments));
  std::vector<std::string> known;
  for (const NetworkState& network : networks.all) known.push_back(network.name);
  if (std::ranges::find(known, arguments.network) != known.end()) return {};
  if (const auto invalid = networks.invalid.find(arguments.network); invalid != networks.invalid.end()) {
    return netlib::fail(
        netlib::Cause::Invalid,
        "network \"" + arguments.network + "\" is not on record, and its configuration is invalid: " + invalid->second);
  }
  const std::string unread = joined(networks.problems, "; ");
  return netlib::fail(netlib::Cause::Invalid, unknownWord("network", arguments.network, known) + " (neither in " +
                                                  arguments.configDir + " nor on record)" +
                                                  (unread.empty() ? "" : "; not read: " + unread));
}

}  // namespace pons::ctl
