#include "plugin/engine/sweep.h"

#include <algorithm>

#include "netlib/base/error_list.h"

#include "plugin/context/link_owner.h"
#include "plugin/engine/plan.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/bridge_confined.h"
#include "plugin/steps/bridge_filtered.h"
#include "plugin/steps/bridge_present.h"
#include "plugin/steps/forward_accepted.h"
#include "plugin/steps/forwarding_held.h"
#include "plugin/steps/ingress_limited.h"
#include "plugin/steps/loopback_reachable.h"
#include "plugin/steps/source_subnet.h"
#include "plugin/steps/tables_present.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::string_view kUnheld = "no attachment holds it";
constexpr std::string_view kUnrecorded = "no record of its port";

/// Who the alias of a link names; see aliasOf().
std::optional<AttachmentKey> keyOfAlias(std::string_view alias) {
  if (!alias.starts_with(kAliasPrefix)) return std::nullopt;
  return AttachmentKey::parse(alias.substr(kAliasPrefix.size()));
}

bool isInside(const netlib::IpAddress& address, const std::vector<netlib::IpPrefix>& subnets) {
  return std::ranges::any_of(subnets, [&](const netlib::IpPrefix& subnet) { return subnet.contains(address); });
}

/// Steps follow from an attachment; the shared ones ask only for its bridge, or for nothing of it.
Attachment unrecordedAt(const netlib::IfName& bridge) {
  return bareAttachment({NetworkName::parse("nobody").value(), ContainerId::parse("nobody").value(), bridge}, bridge);
}

std::string textOf(const PortForward& forward) {
  const std::string at = forward.hostAddress.isUnspecified() ? "" : " at " + forward.hostAddress.toString();
  return std::string{nameOf(forward.protocol)} + " " + std::to_string(forward.hostPort) + at + " to " +
         forward.target.toString() + " port " + std::to_string(forward.targetPort);
}

/// The addresses that are masqueraded by a network's chain.
netlib::Result<std::vector<nft::Element>> membersOf(Host& host, Family family, const std::string& chain) {
  return nft::listElements(host.netfilter, nat::tableOf(family), chain);
}

netlib::Result<> removeNetwork(Host& host, Family family, const std::string& chain) {
  std::vector<std::string> subnetChains;
  for (const auto& other : TRY(nft::listChains(host.netfilter, nat::tableOf(family)))) {
    if (nat::subnetOfChain(other.name)) subnetChains.push_back(other.name);
  }
  return source::removeNetwork(host, family, chain, subnetChains);
}

/// How many ports, addresses, bridges and policies the tables serve.
netlib::Result<std::size_t> countUses(Host& host) {
  std::size_t uses = TRY(nft::listElements(host.netfilter, guard::table(), guard::kMacs)).size();
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const char* map :
         {nat::kForwardsAny, nat::kForwardsIp, bridges::kLimited, bridges::kInternal, egress::kPolicies}) {
      uses += TRY(nft::listElements(host.netfilter, nat::tableOf(family), map)).size();
    }
    for (const auto& chain : TRY(nft::listChains(host.netfilter, nat::tableOf(family)))) {
      if (nat::networkIn(chain.comment)) uses += TRY(membersOf(host, family, chain.name)).size();
    }
  }
  return uses;
}

netlib::Result<bool> areTablesThere(Host& host) {
  for (const auto family : tables::kAll) {
    if (!TRY(nft::listChains(host.netfilter, tables::tableOf(family))).empty()) return true;
  }
  return false;
}

/// The names of the veths that attachments on record have in the host, and of those that are there: another ledger may
/// tell of them. Under the host lock none can be added.
netlib::Result<std::set<std::string>> knownVeths(Host& host) {
  std::set<std::string> veths;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) veths.insert(hostVethName(key).toString());
  for (const link::Link& veth : TRY(link::ofKind(host.route, "veth"))) veths.insert(veth.name);
  return veths;
}

}  // namespace

netlib::Result<std::vector<NetworkName>> markedNetworks(Host& host) {
  std::vector<NetworkName> networks;
  for (const char* kind : {"veth", "ifb"}) {
    for (const link::Link& candidate : TRY(link::ofKind(host.route, kind))) {
      if (const auto key = keyOfAlias(candidate.alias)) networks.push_back(key->network);
    }
  }
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
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
    if (name && bridge.alias == kBridgeAlias) bridges.push_back(*name);
  }
  return bridges;
}

bool Sweep::note(Leftover leftover) {
  if (std::ranges::find(found_, leftover) == found_.end()) found_.push_back(std::move(leftover));
  return mode_ == Mode::Take;
}

/// The same of an element that countUses() counts.
bool Sweep::noteUse(Leftover leftover) {
  const bool take = note(std::move(leftover));
  if (!take) ++leftInTables_;
  return take;
}

/// Who asks the ledger for good clears stale claims on the way.
netlib::Result<bool> Sweep::isHeld(const netlib::FileLock& hostLock, const std::string& hold) {
  if (mode_ == Mode::Take) return host_.ledger.isHeld(hostLock, hold);
  return TRY(host_.ledger.countHolders(hold)) > 0;
}

netlib::Result<> Sweep::links(const NetworkName& network, const std::string& kind,
                              netlib::IfName (*nameOf)(const AttachmentKey& key)) {
  netlib::ErrorList failures;
  for (const link::Link& candidate : TRY(link::ofKind(host_.route, kind))) {
    const auto key = keyOfAlias(candidate.alias);
    if (!key || key->network != network) continue;
    // The record was written before the link was made, so a link that was seen first and has none is nobody's. An alias
    // that was cut short tells another key, from which another name follows.
    if (nameOf(*key).toString() != candidate.name || TRY(host_.ledger.isOnRecord(*key))) continue;
    if (!note({"link", candidate.name, "no record of it", network, key->container})) continue;
    // By index: an ADD that came meanwhile has made a link of the same name.
    const auto removed = link::remove(host_.route, candidate.index);
    if (!removed.failedWith(ENODEV)) failures.add("delete " + candidate.name, removed);
  }
  return failures.result();
}

netlib::Result<> Sweep::claims(const netlib::FileLock& hostLock, const NetworkName& network) {
  const std::size_t stale = TRY(host_.ledger.staleClaims(network)).size();
  if (stale > 0) note({"claims", std::to_string(stale), "no record of their owners", network});
  return mode_ == Mode::Take ? host_.ledger.sweepClaims(hostLock, network) : netlib::Result<>{};
}

/// The published ports of this network in nf_tables that nobody has claimed. A claim comes before its element, and
/// under the host lock none can come: so what has no claim is nobody's.
netlib::Result<> Sweep::forwards(Family family, const std::vector<netlib::IpPrefix>& subnets) {
  const nft::Table table = nat::tableOf(family);
  tables::Elements unclaimed;
  for (const char* map : {nat::kForwardsAny, nat::kForwardsIp}) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, table, map))) {
      const auto forward = nat::forwardOf(element, family, map);
      if (!forward || !isInside(forward->target, subnets) || TRY(host_.ledger.isClaimed(*forward))) continue;
      if (!noteUse({"port", textOf(*forward), "nobody has claimed it"})) continue;
      unclaimed[{table.family, map}].push_back(element);
      if (forward->protocol != Protocol::Udp) continue;
      unclaimed[{table.family, nat::udpSetOf(*forward)}].push_back(nat::udpElementOf(*forward));
    }
  }
  return tables::removeElements(host_, unclaimed);
}

netlib::Result<> Sweep::guards(const std::set<std::string>& veths) {
  tables::Elements unrecorded;
  for (const char* set : {guard::kMacs, guard::kAddresses4, guard::kAddresses6, guard::kTargets, guard::kTargetMacs}) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, guard::table(), set))) {
      const std::string port = guard::portOf(element);
      if (veths.contains(port)) continue;
      const Leftover leftover{"guard", port, std::string{kUnrecorded}};
      const bool isCounted = std::string_view{set} == guard::kMacs;
      if (!(isCounted ? noteUse(leftover) : note(leftover))) continue;
      unrecorded[{guard::table().family, set}].push_back(element);
    }
  }
  return tables::removeElements(host_, unrecorded);
}

/// With the addresses that lead there.
netlib::Result<> Sweep::policies(Family family, const std::set<std::string>& veths) {
  const nft::Table table = nat::tableOf(family);
  tables::Elements unrecorded;
  for (const auto& element : TRY(nft::listElements(host_.netfilter, table, egress::kPolicies))) {
    const std::string veth = egress::vethOf(element.jumpTo);
    if (veths.contains(veth) ||
        !noteUse({"policy", veth + " " + std::string{nameOf(family)}, std::string{kUnrecorded}})) {
      continue;
    }
    unrecorded[{table.family, egress::kPolicies}].push_back(element);
  }
  TRY(tables::removeElements(host_, unrecorded));
  if (mode_ == Mode::Look) return {};
  for (const auto& chain : TRY(nft::listChains(host_.netfilter, table))) {
    const std::string veth = egress::vethOf(chain.name);
    const auto name = netlib::IfName::parse(veth);
    if (name && !veths.contains(veth)) TRY(tables::removeEgress(host_, family, *name));
  }
  return {};
}

netlib::Result<> Sweep::ports() {
  netlib::ErrorList failures;
  const netlib::FileLock hostLock = TRY(host_.ledger.lockHost());
  const auto veths = TRY(knownVeths(host_));
  failures.add("sweep guards", guards(veths));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep egress policies", policies(family, veths));
  }
  return failures.result();
}

/// The chains of this network that no attachment holds. The holds are asked, not the records: one that cannot be read,
/// or that a newer pons wrote, may be a living container's.
netlib::Result<> Sweep::chains(const netlib::FileLock& hostLock, Family family, const NetworkName& network) {
  for (const auto& chain : TRY(nft::listChains(host_.netfilter, nat::tableOf(family)))) {
    if (chain.comment != nat::networkComment(network)) continue;
    if (TRY(isHeld(hostLock, hold::sourceNat(network, chain.name)))) {
      TRY(masquerades(family, network, chain.name));
    } else if (note({"chain", chain.name, std::string{kUnheld}, network})) {
      TRY(removeNetwork(host_, family, chain.name));
    } else {
      leftInTables_ += TRY(membersOf(host_, family, chain.name)).size();
    }
  }
  return {};
}

/// The chains of subnets likewise.
netlib::Result<> Sweep::subnetChains(const netlib::FileLock& hostLock, Family family,
                                     const std::vector<netlib::IpPrefix>& subnets) {
  const Attachment unrecorded = unrecordedAt(*netlib::IfName::parse("pons0"));
  for (const auto& chain : TRY(nft::listChains(host_.netfilter, nat::tableOf(family)))) {
    const auto subnet = nat::subnetOfChain(chain.name);
    if (!subnet || !isInside(subnet->first(), subnets) || TRY(isHeld(hostLock, hold::subnet(*subnet)))) continue;
    if (!note({"chain", chain.name, std::string{kUnheld}})) continue;
    const SourceSubnet step{unrecorded, *subnet};
    TRY(step.undo(host_));
  }
  return {};
}

/// The addresses in such a chain's use that no attachment has leased: claims come before elements, as with ports.
netlib::Result<> Sweep::masquerades(Family family, const NetworkName& network, const std::string& chain) {
  const auto leased = TRY(host_.ledger.leased(network));
  std::vector<nft::Element> unclaimed;
  for (const nft::Element& element : TRY(membersOf(host_, family, chain))) {
    const auto address = netlib::IpAddress::fromBytes(element.key);
    if (address && std::ranges::find(leased, *address) != leased.end()) continue;
    const std::string name = address ? address->toString() : "an address";
    if (noteUse({"masquerade", name, "no attachment has leased it", network})) unclaimed.push_back(element);
  }
  return tables::removeElements(host_, {{{static_cast<nft::TableFamily>(family), chain}, unclaimed}});
}

netlib::Result<> Sweep::network(const SweepScope& scope) {
  netlib::ErrorList failures;
  failures.add("sweep links", links(scope.network, "veth", hostVethName));
  failures.add("sweep links", links(scope.network, "ifb", ifbName));
  const netlib::FileLock hostLock = TRY(host_.ledger.lockHost());
  failures.add("sweep the ledger", claims(hostLock, scope.network));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep published ports", forwards(family, scope.subnets));
    failures.add("sweep chains", chains(hostLock, family, scope.network));
    failures.add("sweep chains", subnetChains(hostLock, family, scope.subnets));
  }
  return failures.result();
}

netlib::Result<> Sweep::noteBridge(const netlib::FileLock& hostLock, const std::string& hold,
                                   const netlib::IfName& bridge) {
  const auto found = link::find(host_.route, bridge);
  if (!found || found->alias != kBridgeAlias || TRY(isHeld(hostLock, hold))) return {};
  if (TRY(servesOthers(host_, *found))) return {};
  note({"bridge", bridge.toString(), std::string{kUnheld}});
  return {};
}

netlib::Result<> Sweep::emptyTables(const netlib::FileLock& hostLock) {
  const std::string hold = hold::tables();
  if (TRY(isHeld(hostLock, hold)) || !TRY(areTablesThere(host_))) return {};
  // What other networks have counts as in use even where no record tells of it: their GC looks after them.
  if (TRY(countUses(host_)) > leftInTables_) return {};
  if (!note({"tables", "pons", std::string{kUnheld}})) return {};
  return tables::removeAll(host_);
}

netlib::Result<> Sweep::shared(const netlib::IfName& bridge) {
  const Attachment unrecorded = unrecordedAt(bridge);
  const netlib::FileLock hostLock = TRY(host_.ledger.lockHost());
  netlib::ErrorList failures;
  const auto undoIfUnheld = [&](const Step& step) -> netlib::Result<> {
    const bool held = TRY(isHeld(hostLock, step.hold()));
    return held || mode_ == Mode::Look ? netlib::Result<>{} : step.undo(host_);
  };
  const auto sweepStep = [&](const Step& step) { failures.add("undo " + step.name(), undoIfUnheld(step)); };
  failures.add("look at the bridge", noteBridge(hostLock, hold::bridge(unrecorded), bridge));
  sweepStep(LoopbackReachable{unrecorded});
  sweepStep(ForwardAccepted{unrecorded});
  sweepStep(IngressLimited{unrecorded});
  sweepStep(BridgeConfined{unrecorded});
  sweepStep(BridgeFiltered{unrecorded});
  failures.add("undo the nf_tables tables", emptyTables(hostLock));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) sweepStep(ForwardingHeld{family});
  sweepStep(BridgePresent{unrecorded});
  return failures.result();
}

}  // namespace pons
