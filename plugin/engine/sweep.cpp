#include "plugin/engine/sweep.h"

#include <algorithm>

#include "netlib/base/error_list.h"

#include "plugin/context/link_owner.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/source_subnets.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// Whether an object of pons that no record of this ledger tells of is its orphan: `ledger` is what it carries, empty
/// if an earlier pons made it.
bool isSwept(const Host& host, const std::string& ledger) {
  return ledger.empty() ? host.ledger.path() == kDefaultStateDir : ledger == ledgerWord(host.ledger.path());
}

std::optional<LinkAlias> sweptAlias(const Host& host, const link::Link& link) {
  auto alias = parseAlias(link.alias);
  if (alias && !isSwept(host, alias->ledger)) alias.reset();
  return alias;
}

/// The attachment that the alias of an orphan names.
std::optional<AttachmentKey> keyOfOrphan(const Host& host, const link::Link& link) {
  const auto alias = sweptAlias(host, link);
  return alias ? alias->key : std::nullopt;
}

/// An attachment to make shared steps of: their undo() reads its bridge and VLAN at most.
Attachment unrecordedAt(const netlib::IfName& bridge) {
  return bareAttachment({NetworkName::parse("none").value(), ContainerId::parse("none").value(), bridge}, bridge);
}

/// One for each VLAN of which this ledger has made the gateway's link.
netlib::Result<std::vector<Attachment>> unrecordedVlans(Host& host, const netlib::IfName& bridge) {
  std::vector<Attachment> found;
  const auto below = link::find(host.route, bridge);
  if (!below) return found;
  for (const link::Link& candidate : TRY(link::ofKind(host.route, "vlan"))) {
    if (candidate.peer != below->index || !sweptAlias(host, candidate)) continue;
    found.push_back(unrecordedAt(bridge));
    found.back().vlans = PortVlans{.untagged = candidate.vlan};
  }
  return found;
}

}  // namespace

netlib::Result<bool> isSwept(Host& host, nft::TableFamily table) {
  const auto owner = TRY(tables::ownerOf(host, table));
  return owner ? owner->isOurs : isSwept(host, std::string{});
}

netlib::Result<std::set<std::string>> ledgersOn(netlib::Socket& route, netlib::Socket* netfilter) {
  std::set<std::string> ledgers;
  if (netfilter != nullptr) ledgers = TRY(tables::owners(*netfilter));
  for (const char* kind : {"bridge", "vlan", "veth", "ifb"}) {
    for (const link::Link& candidate : TRY(link::ofKind(route, kind))) {
      if (const auto alias = parseAlias(candidate.alias)) ledgers.insert(alias->ledger);
    }
  }
  return ledgers;
}

netlib::Result<std::vector<NetworkName>> markedNetworks(Host& host) {
  std::vector<NetworkName> networks;
  for (const char* kind : {"veth", "ifb"}) {
    for (const link::Link& candidate : TRY(link::ofKind(host.route, kind))) {
      if (const auto key = keyOfOrphan(host, candidate)) networks.push_back(key->network);
    }
  }
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (!TRY(isSwept(host, nat::tableOf(family).family))) continue;
    for (const auto& chain : TRY(nft::listChains(host.netfilter, nat::tableOf(family)))) {
      if (auto network = nat::networkIn(chain.comment)) networks.push_back(*std::move(network));
    }
  }
  return networks;
}

netlib::Result<std::vector<netlib::IfName>> markedBridges(Host& host) {
  std::vector<netlib::IfName> bridges;
  for (const link::Link& bridge : TRY(link::ofKind(host.route, "bridge"))) {
    const auto name = netlib::IfName::parse(bridge.name);
    if (name && sweptAlias(host, bridge)) bridges.push_back(*name);
  }
  return bridges;
}

bool Sweep::note(Orphan orphan) {
  if (std::ranges::find(found_, orphan) == found_.end()) found_.push_back(std::move(orphan));
  return mode_ == Mode::Delete;
}

bool Sweep::noteUse(nft::TableFamily table, Orphan orphan) {
  const bool isDeleted = note(std::move(orphan));
  if (!isDeleted) ++left_[table];
  return isDeleted;
}

netlib::Result<Sweep::Lock> Sweep::lock() {
  if (mode_ == Mode::Find && !host_.ledger.exists()) return Lock{};
  auto hostLock = TRY(host_.ledger.lockHost());
  return Lock{std::move(hostLock)};
}

/// By any attachment, whatever value it gives the state. In delete mode this also removes stale references.
netlib::Result<bool> Sweep::isReferenced(const Lock& hostLock, const std::string& sharedState) {
  const std::string stem = shared_state::stem(sharedState);
  if (mode_ == Mode::Delete) return host_.ledger.isReferenced(*hostLock, stem);
  return TRY(host_.ledger.countReferences(stem)) > 0;
}

netlib::Result<> Sweep::links(const NetworkName& network, const std::string& kind,
                              netlib::IfName (*nameOf)(const AttachmentKey& key)) {
  netlib::ErrorList failures;
  for (const link::Link& candidate : TRY(link::ofKind(host_.route, kind))) {
    const auto key = keyOfOrphan(host_, candidate);
    if (!key || key->network != network) continue;
    // A record is written before its link is created, so a link without one is an orphan. An alias that was cut short
    // names another key, from which another link name is derived.
    if (nameOf(*key).toString() != candidate.name || TRY(host_.ledger.hasRecord(*key))) continue;
    if (!note({"link", candidate.name, "no record of it", network, key->container})) continue;
    // By index: an ADD may have created a link of the same name in the meantime.
    const auto removed = link::remove(host_.route, candidate.index);
    if (!removed.failedWith(ENODEV)) failures.add("delete " + candidate.name, removed);
  }
  return failures.result();
}

netlib::Result<> Sweep::claims(const Lock& hostLock, const NetworkName& network) {
  const std::size_t stale = TRY(host_.ledger.staleClaims(network)).size();
  if (stale > 0) note({"claims", std::to_string(stale), "no record of their owners", network});
  return mode_ == Mode::Delete ? host_.ledger.sweepClaims(*hostLock, network) : netlib::Result<>{};
}

netlib::Result<> Sweep::network(const SweepScope& scope) {
  netlib::ErrorList failures;
  failures.add("sweep links", links(scope.network, "veth", hostVethName));
  failures.add("sweep links", links(scope.network, "ifb", ifbName));
  const Lock hostLock = TRY(lock());
  failures.add("sweep the ledger", claims(hostLock, scope.network));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep published ports", forwards(family, scope.subnets));
    failures.add("sweep published ports", restrictions(family, scope.subnets));
    failures.add("sweep chains", chains(hostLock, family, scope.network));
    failures.add("sweep chains", subnetChains(hostLock, family, scope.subnets));
  }
  return failures.result();
}

netlib::Result<> Sweep::noteBridge(const Lock& hostLock, const std::string& sharedState, const netlib::IfName& bridge) {
  const auto found = link::find(host_.route, bridge);
  if (!found || !sweptAlias(host_, *found) || TRY(isReferenced(hostLock, sharedState))) return {};
  if (TRY(servesOthers(host_, *found))) return {};
  note({"bridge", bridge.toString(), std::string{kUnreferenced}});
  return {};
}

netlib::Result<> Sweep::shared(const netlib::IfName& bridge) {
  const Attachment unrecorded = unrecordedAt(bridge);
  const Lock hostLock = TRY(lock());
  netlib::ErrorList failures;
  const auto undoIfUnreferenced = [&](const Step& step) -> netlib::Result<> {
    const bool referenced = TRY(isReferenced(hostLock, step.sharedState()));
    return referenced || mode_ == Mode::Find ? netlib::Result<>{} : step.undo(host_);
  };
  const auto sweepStep = [&](const Step& step) { failures.add("undo " + step.name(), undoIfUnreferenced(step)); };
  const auto sweepVlanLink = [&](const Attachment& vlan) -> netlib::Result<> {
    const bool referenced = TRY(isReferenced(hostLock, shared_state::vlanLink(routedLink(vlan))));
    if (!referenced) note({"link", routedLink(vlan).toString(), std::string{kUnreferenced}});
    return {};
  };
  const auto sweepLink = [&](const Attachment& attachment) {
    sweepStep(*routeLocalnet(attachment));
    sweepStep(*forwardAccepted(attachment, routedLink(attachment)));
    sweepStep(*ingressPolicyApplied(attachment));
    for (const auto restriction : bridges::kRestrictions) sweepStep(*bridgeRestricted(attachment, restriction));
  };
  failures.add("look at the bridge", noteBridge(hostLock, shared_state::bridge(unrecorded), bridge));
  const auto vlans = unrecordedVlans(host_, bridge);
  if (!vlans) failures.add("look at VLANs", netlib::fail(vlans.error()));
  for (const Attachment& vlan : vlans ? *vlans : std::vector<Attachment>{}) {
    sweepLink(vlan);
    failures.add("look at VLANs", sweepVlanLink(vlan));
    sweepStep(*vlanLink(vlan));
  }
  sweepLink(unrecorded);
  sweepStep(*taggedFramesFiltered(unrecorded));
  sweepStep(*brNetfilterEnabled(unrecorded));
  failures.add("look at policies",
               countPolicies(hostLock, shared_state::ingress(unrecorded), bridge, bridges::kPolicyBridges));
  for (const auto restriction : bridges::kRestrictions) {
    const std::string state = bridges::stateOf(unrecorded, restriction);
    failures.add("look at policies", countPolicies(hostLock, state, bridge, bridges::setOf(restriction)));
  }
  failures.add("undo the nf_tables tables", emptyTables(hostLock));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) sweepStep(*ipForwardingEnabled(family));
  sweepStep(*vlanFiltering(unrecorded));
  sweepStep(*bridgePresent(unrecorded));
  return failures.result();
}

}  // namespace pons
