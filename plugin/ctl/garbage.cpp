#include "plugin/ctl/garbage.h"

#include <algorithm>
#include <map>
#include <set>

#include "plugin/ctl/conf_file.h"
#include "plugin/engine/liveness.h"
#include "plugin/engine/transaction.h"
#include "plugin/verbs/attachment_builder.h"

namespace pons::tools {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;

namespace {

/// What is known of a network.
struct Known {
  std::optional<cni::Config> config = std::nullopt;
  std::set<netlib::IfName> bridges = {};
};

/// What is looked at.
struct Scopes {
  std::map<NetworkName, Known> networks = {};
  std::set<netlib::IfName> bridges = {};  ///< beside those of the networks
  std::set<NetworkName> elsewhere = {};   ///< their ledger is another one
};

void addConfigured(Scopes& scopes, const Arguments& arguments, std::vector<std::string>& problems) {
  ConfDirectory files = readConfDirectory(arguments.configDir);
  problems.insert(problems.end(), files.problems.begin(), files.problems.end());
  for (const NetworkConf& conf : files.networks) {
    for (const PluginConf& plugin : conf.plugins) {
      if (appletFor(plugin.type) != cni::Applet::Pons) continue;
      const auto request = inventedAdd(plugin, arguments.stateDir);
      if (!request) {
        problems.push_back(conf.file + ": " + request.error().message);
      } else if (request->config.settings.stateDir != arguments.stateDir) {
        scopes.elsewhere.insert(request->key.network);
      } else {
        scopes.networks.emplace(request->key.network, Known{request->config, {request->config.bridge}});
      }
    }
  }
}

netlib::Result<> addFound(Scopes& scopes, Host& host) {
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    Known& known = scopes.networks[key.network];
    const auto seen = host.ledger.snapshot(key);
    if (seen && *seen && key.plugin == ChainedPlugin::None) known.bridges.insert((*seen)->attachment.bridge.name);
  }
  for (const NetworkName& network : TRY(markedNetworks(host))) {
    if (!scopes.elsewhere.contains(network)) scopes.networks.try_emplace(network);  // of which nothing is known
  }
  // No mark tells whose a bridge is.
  if (!scopes.elsewhere.empty()) return {};
  for (const netlib::IfName& bridge : TRY(markedBridges(host))) scopes.bridges.insert(bridge);
  return {};
}

netlib::Result<Scopes> scopesFor(const Arguments& arguments, Host& host, std::vector<std::string>& problems) {
  Scopes scopes;
  addConfigured(scopes, arguments, problems);
  TRY(addFound(scopes, host));
  if (arguments.network.empty()) return scopes;
  const auto wanted = NetworkName::parse(arguments.network);
  if (!wanted) return netlib::fail(EINVAL, "\"" + arguments.network + "\" is no name of a network");
  std::erase_if(scopes.networks, [&wanted](const auto& scope) { return scope.first != *wanted; });
  scopes.bridges.clear();
  return scopes;
}

/// Into which published ports lead that are looked at. Where all networks are, and there is one ledger only, nobody
/// else can have any.
std::vector<IpPrefix> subnetsFor(const Arguments& arguments, const Scopes& scopes,
                                 const std::optional<cni::Config>& config) {
  if (arguments.network.empty() && scopes.elsewhere.empty()) {
    return {*IpPrefix::of(IpAddress::unspecified(Family::Ipv4), 0),
            *IpPrefix::of(IpAddress::unspecified(Family::Ipv6), 0)};
  }
  return config ? subnetsOf(*config) : std::vector<IpPrefix>{};
}

std::string causeOfDeath(const Record& record) {
  if (record.salvaged) return "its record is damaged, and its link is gone";
  if (record.state == RecordState::Claimed) return "its ADD died";
  if (record.state == RecordState::Deleting) return "its DEL died";
  return "its namespace and its link are gone";
}

/// Nothing where it lives, or where another verb is at work on it.
netlib::Result<std::optional<Garbage>> collectOne(Host& host, const AttachmentKey& key,
                                                  const std::optional<cni::Config>& config, bool take) {
  auto record = host.ledger.find(key, std::chrono::milliseconds{0});
  if (record.failedWith(ETIMEDOUT)) return std::optional<Garbage>{};
  if (!record) return netlib::fail(record.error());
  if (!*record || !TRY(isDead(host, **record))) return std::optional<Garbage>{};
  const std::string part = key.plugin == ChainedPlugin::None ? "" : " " + std::string{nameOf(key.plugin)};
  const std::string cause = causeOfDeath(**record);
  Garbage garbage{{"attachment", key.ifName.toString() + part, cause, key.network, key.container}};
  if (!take) return std::optional{std::move(garbage)};
  if (config) fillIn(**record, *config);
  const auto taken = teardown(host, **record, planFor((*record)->attachment));
  if (!taken) garbage.failure = taken.error().message;
  return std::optional{std::move(garbage)};
}

netlib::Result<> collectDead(Host& host, const Scopes& scopes, Collection& collection) {
  std::vector<AttachmentKey> keys = TRY(host.ledger.attachments());
  std::ranges::sort(keys);
  for (const AttachmentKey& key : keys) {
    const auto scope = scopes.networks.find(key.network);
    if (scope == scopes.networks.end()) continue;
    auto dead = collectOne(host, key, scope->second.config, collection.taken);
    if (!dead) {
      collection.problems.push_back(key.toString() + ": " + dead.error().message);
    } else if (*dead) {
      collection.garbage.push_back(**std::move(dead));
    }
  }
  return {};
}

void sweep(Host& host, const Scopes& scopes, const Arguments& arguments, Collection& collection) {
  Sweep sweep{host, collection.taken ? Sweep::Mode::Delete : Sweep::Mode::Find};
  const auto check = [&collection](const netlib::Result<>& swept) {
    if (!swept) collection.problems.push_back(swept.error().message);
  };
  std::set<netlib::IfName> bridges = scopes.bridges;
  for (const auto& [network, known] : scopes.networks) {
    check(sweep.network({network, subnetsFor(arguments, scopes, known.config)}));
    bridges.insert(known.bridges.begin(), known.bridges.end());
  }
  check(sweep.ports());
  for (const netlib::IfName& bridge : bridges) check(sweep.shared(bridge));
  for (const Orphan& leftover : sweep.found()) collection.garbage.push_back({leftover});
}

}  // namespace

netlib::Result<Collection> collect(Host& host, const Arguments& arguments) {
  Collection collection{.taken = arguments.deletes};
  const Scopes scopes = TRY(scopesFor(arguments, host, collection.problems));
  TRY(collectDead(host, scopes, collection));
  sweep(host, scopes, arguments, collection);
  return collection;
}

}  // namespace pons::tools
