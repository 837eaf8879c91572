#include "plugin/ctl/orphans.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugin/ctl/common.h"
#include "plugin/ctl/conf_file.h"
#include "plugin/engine/liveness.h"
#include "plugin/engine/transaction.h"
#include "plugin/verbs/attachment_builder.h"

namespace pons::ctl {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

struct KnownNetwork {
  std::optional<cni::Config> config = std::nullopt;
  std::set<netlib::IfName> bridges = {};
};

/// What is searched.
struct Scopes {
  std::map<NetworkName, KnownNetwork> networks = {};
  std::set<netlib::IfName> bridges = {};  ///< in addition to those of the networks
  std::set<NetworkName> elsewhere = {};   ///< their configuration names another state directory
};

void addConfigured(Scopes& scopes, const Arguments& arguments, std::vector<std::string>& problems) {
  ConfiguredPlugins plugins = pluginsIn(arguments);
  problems = std::move(plugins.problems);
  for (const ConfiguredPlugin& plugin : plugins.all) {
    const auto& request = plugin.request;
    if (plugin.type != "pons") continue;
    if (!request) {
      problems.push_back(plugin.problem());
    } else if (request->config.settings.stateDir != arguments.stateDir) {
      scopes.elsewhere.insert(request->key.network);
    } else {
      scopes.networks.emplace(request->key.network, KnownNetwork{request->config, {request->config.bridge.name}});
    }
  }
}

netlib::Result<> addFound(Scopes& scopes, Host& host) {
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    KnownNetwork& known = scopes.networks[key.network];
    const auto seen = host.ledger.snapshot(key);
    if (seen && *seen && key.plugin == ChainedPlugin::None) known.bridges.insert((*seen)->attachment.bridge.name);
  }
  for (const NetworkName& network : TRY(markedNetworks(host))) {
    if (!scopes.elsewhere.contains(network)) scopes.networks.try_emplace(network);
  }
  for (const netlib::IfName& bridge : TRY(markedBridges(host))) scopes.bridges.insert(bridge);
  return {};
}

netlib::Result<Scopes> scopesFor(const Arguments& arguments, Host& host, std::vector<std::string>& problems) {
  Scopes scopes;
  addConfigured(scopes, arguments, problems);
  TRY(addFound(scopes, host));
  if (arguments.network.empty()) return scopes;
  std::erase_if(scopes.networks, [&](const auto& scope) { return scope.first.toString() != arguments.network; });
  scopes.bridges.clear();
  return scopes;
}

/// Published ports with a target in these subnets are searched: in all, if all networks are.
std::vector<IpPrefix> subnetsFor(const Arguments& arguments, const std::optional<cni::Config>& config) {
  if (arguments.network.empty()) {
    return {*IpPrefix::of(IpAddress::unspecified(Family::Ipv4), 0),
            *IpPrefix::of(IpAddress::unspecified(Family::Ipv6), 0)};
  }
  return config ? subnetsOf(*config) : std::vector<IpPrefix>{};
}

std::string reasonOf(const Record& record) {
  if (record.salvaged) return "record cannot be parsed, and veth no longer exists";
  if (record.state == RecordState::Claimed) return "ADD was interrupted";
  if (record.state == RecordState::Deleting) return "DEL was interrupted";
  return "network namespace and veth no longer exist";
}

/// Nothing if the container exists, or another process has the record locked.
netlib::Result<std::optional<OrphanResult>> collectAttachment(Host& host, const AttachmentKey& key,
                                                              const std::optional<cni::Config>& config, bool deletes) {
  auto record = host.ledger.find(key, std::chrono::milliseconds{0});
  if (record.failedWith(netlib::Cause::Locked)) return std::optional<OrphanResult>{};
  if (!record) return netlib::fail(record.error());
  if (!*record || !TRY(isDead(host, **record))) return std::optional<OrphanResult>{};
  const std::string part = key.plugin == ChainedPlugin::None ? "" : " " + std::string{nameOf(key.plugin)};
  OrphanResult found{{"attachment", key.ifName.toString() + part, reasonOf(**record), key.network, key.container}};
  found.pod = (*record)->attachment.pod;
  found.isLost = (*record)->salvaged;
  if (!deletes) return std::optional{std::move(found)};
  if (config) completeFromConfig(**record, *config);
  const auto removed = teardown(host, **record, planFor((*record)->attachment));
  if (!removed) found.failure = removed.error().message;
  return std::optional{std::move(found)};
}

/// Returns those whose record could not be read.
netlib::Result<std::vector<AttachmentKey>> collectAttachments(Host& host, const Scopes& scopes, Orphans& orphans) {
  std::vector<AttachmentKey> lost;
  std::vector<AttachmentKey> keys = TRY(host.ledger.attachments());
  std::ranges::sort(keys);
  for (const AttachmentKey& key : keys) {
    const auto scope = scopes.networks.find(key.network);
    if (scope == scopes.networks.end()) continue;
    auto found = collectAttachment(host, key, scope->second.config, orphans.deletes);
    if (!found) {
      orphans.problems.push_back(key.toString() + ": " + found.error().message);
    } else if (*found) {
      if ((*found)->isLost) lost.push_back(key);
      orphans.all.push_back(**std::move(found));
    }
  }
  return lost;
}

void sweep(Host& host, const Scopes& scopes, const std::vector<AttachmentKey>& lost, const Arguments& arguments,
           Orphans& orphans) {
  Sweep sweep{host, orphans.deletes ? Sweep::Mode::Delete : Sweep::Mode::Find};
  const auto check = [&orphans](const netlib::Result<>& swept) {
    if (!swept) orphans.problems.push_back(swept.error().message);
  };
  std::set<netlib::IfName> bridges = scopes.bridges;
  for (const auto& [network, known] : scopes.networks) {
    check(sweep.network({network, subnetsFor(arguments, known.config)}));
    bridges.insert(known.bridges.begin(), known.bridges.end());
  }
  check(sweep.ports(lost));
  for (const netlib::IfName& bridge : bridges) check(sweep.shared(bridge));
  for (const Orphan& orphan : sweep.found()) orphans.all.push_back({orphan});
}

}  // namespace

netlib::Result<Orphans> collectOrphans(Host& host, const Arguments& arguments) {
  Orphans orphans{.deletes = arguments.deletes, .others = otherStateDirectories(arguments)};
  const Scopes scopes = TRY(scopesFor(arguments, host, orphans.problems));
  const std::vector<AttachmentKey> lost = TRY(collectAttachments(host, scopes, orphans));
  sweep(host, scopes, lost, arguments, orphans);
  return orphans;
}

netlib::Result<Orphans> collectDead(Host& host, const Arguments& arguments) {
  Orphans orphans{.deletes = arguments.deletes};
  const Scopes scopes = TRY(scopesFor(arguments, host, orphans.problems));
  TRY(collectAttachments(host, scopes, orphans));
  return orphans;
}

}  // namespace pons::ctl
