#include "plugin/sweep.h"

#include <algorithm>
#include <set>

#include "plugin/bridge_policies.h"
#include "plugin/egress_table.h"
#include "plugin/failures.h"
#include "plugin/guard_table.h"
#include "plugin/plan.h"
#include "plugin/steps/bridge_confined.h"
#include "plugin/steps/bridge_filtered.h"
#include "plugin/steps/bridge_present.h"
#include "plugin/steps/forward_accepted.h"
#include "plugin/steps/forwarding_held.h"
#include "plugin/steps/ingress_limited.h"
#include "plugin/steps/loopback_reachable.h"
#include "plugin/steps/tables_present.h"
#include "plugin/table_transaction.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// Who the alias of a link names; see aliasOf().
std::optional<AttachmentKey> keyOfAlias(std::string_view alias, const NetworkName& network) {
  if (!alias.starts_with(kAliasPrefix)) return std::nullopt;
  auto key = AttachmentKey::parse(alias.substr(kAliasPrefix.size()));
  return key && key->network == network ? key : std::nullopt;
}

netlib::Result<> sweepLinks(Host& host, const NetworkName& network, const std::string& kind,
                            netlib::IfName (*nameOf)(const AttachmentKey& key)) {
  Failures failures;
  for (const link::Link& candidate : TRY(link::ofKind(host.route, kind))) {
    const auto key = keyOfAlias(candidate.alias, network);
    // The record was written before the link was made, so a link that was seen first and has none is nobody's. An alias
    // that was cut short tells another key, from which another name follows.
    if (!key || nameOf(*key).toString() != candidate.name || TRY(host.ledger.isOnRecord(*key))) continue;
    // By index: an ADD that came meanwhile has made a link of the same name.
    const auto removed = link::remove(host.route, candidate.index);
    if (!removed.failedWith(ENODEV)) failures.add("delete " + candidate.name, removed);
  }
  return failures.result();
}

bool isInside(const netlib::IpAddress& address, const std::vector<netlib::IpPrefix>& subnets) {
  return std::ranges::any_of(subnets, [&](const netlib::IpPrefix& subnet) { return subnet.contains(address); });
}

/// The published ports of this network in nf_tables that nobody has claimed. A claim comes before its element, and
/// under the host lock none can come: so what has no claim is nobody's.
netlib::Result<> sweepForwards(Host& host, Family family, const std::vector<netlib::IpPrefix>& subnets) {
  const nft::Table table = nat::tableOf(family);
  tables::Elements unclaimed;
  for (const char* map : {nat::kForwardsAny, nat::kForwardsIp}) {
    for (const auto& element : TRY(nft::listElements(host.netfilter, table, map))) {
      const auto forward = nat::forwardOf(element, family, map);
      if (!forward || !isInside(forward->target, subnets) || TRY(host.ledger.isClaimed(*forward))) continue;
      unclaimed[{table.family, map}].push_back(element);
      if (forward->protocol != Protocol::Udp) continue;
      unclaimed[{table.family, nat::udpSetOf(*forward)}].push_back(nat::udpElementOf(*forward));
    }
  }
  return tables::removeElements(host, unclaimed);
}

/// The names of the veths that attachments on record have in the host. Under the host lock none can be added.
netlib::Result<std::set<std::string>> recordedVeths(Host& host) {
  std::set<std::string> veths;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) veths.insert(hostVethName(key).toString());
  return veths;
}

/// Guards of ports that nobody on record has, of whichever network they were.
netlib::Result<> sweepGuards(Host& host, const std::set<std::string>& veths) {
  tables::Elements unrecorded;
  for (const char* set :
       {guard::kPorts, guard::kMacs, guard::kAddresses4, guard::kAddresses6, guard::kTargets, guard::kTargetMacs}) {
    for (const auto& element : TRY(nft::listElements(host.netfilter, guard::table(), set))) {
      if (veths.contains(guard::portOf(element))) continue;
      unrecorded[{guard::table().family, set}].push_back(element);
    }
  }
  return tables::removeElements(host, unrecorded);
}

/// Likewise, with the addresses that lead there.
netlib::Result<> sweepEgress(Host& host, Family family, const std::set<std::string>& veths) {
  const nft::Table table = nat::tableOf(family);
  tables::Elements unrecorded;
  for (const auto& element : TRY(nft::listElements(host.netfilter, table, egress::kPolicies))) {
    if (veths.contains(egress::vethOf(element.jumpTo))) continue;
    unrecorded[{table.family, egress::kPolicies}].push_back(element);
  }
  TRY(tables::removeElements(host, unrecorded));
  for (const auto& chain : TRY(nft::listChains(host.netfilter, table))) {
    const std::string veth = egress::vethOf(chain.name);
    const auto name = netlib::IfName::parse(veth);
    if (name && !veths.contains(veth)) TRY(tables::removeEgress(host, family, *name));
  }
  return {};
}

netlib::Result<> removeChain(Host& host, Family family, const std::string& chain,
                             const std::vector<netlib::IpPrefix>& subnets) {
  const nft::Table table = nat::tableOf(family);
  nft::Transaction transaction;
  for (const auto& subnet : subnets) {
    if (subnet.family() != family) continue;
    const auto elements = nat::sourceElements(subnet.network(), "");
    const auto found = TRY(nft::findElement(host.netfilter, table, nat::kSources, elements.front()));
    if (found && found->jumpTo == chain) transaction.deleteElements(table, nat::kSources, elements);
  }
  transaction.deleteChain(table, chain);
  return transaction.commit(host.netfilter);
}

/// The chains of this network that no attachment holds. The holds are asked, not the records: one that cannot be read,
/// or that a newer pons wrote, may be a living container's.
netlib::Result<> sweepChains(Host& host, const netlib::FileLock& hostLock, Family family, const NetworkName& network,
                             const std::vector<netlib::IpPrefix>& subnets) {
  for (const auto& chain : TRY(nft::listChains(host.netfilter, nat::tableOf(family)))) {
    if (chain.comment != nat::networkComment(network)) continue;
    if (TRY(host.ledger.isHeld(hostLock, hold::sourceNat(network, chain.name)))) continue;
    TRY(removeChain(host, family, chain.name, subnets));
  }
  return {};
}

/// Other networks' chains and ports count as in use even where no record tells of them: their GC looks after them.
netlib::Result<bool> isTableInUse(Host& host, Family family) {
  const nft::Table table = nat::tableOf(family);
  for (const char* map :
       {nat::kForwardsAny, nat::kForwardsIp, nat::kSources, bridges::kLimited, bridges::kInternal, egress::kPolicies}) {
    if (!TRY(nft::listElements(host.netfilter, table, map)).empty()) return true;
  }
  return false;
}

netlib::Result<bool> areTablesInUse(Host& host) {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (TRY(isTableInUse(host, family))) return true;
  }
  return !TRY(nft::listElements(host.netfilter, guard::table(), guard::kPorts)).empty();
}

/// Shared state that no attachment at all holds any more.
netlib::Result<> sweepShared(Host& host, const netlib::FileLock& hostLock, const Attachment& nobody) {
  Failures failures;
  const auto undoIfUnheld = [&](const Step& step) -> netlib::Result<> {
    const bool held = TRY(host.ledger.isHeld(hostLock, step.hold()));
    return held ? netlib::Result<>{} : step.undo(host);
  };
  const auto undoTablesIfUnused = [&]() -> netlib::Result<> {
    const bool used = TRY(areTablesInUse(host));
    return used ? netlib::Result<>{} : undoIfUnheld(TablesPresent{nobody});
  };
  const auto sweepStep = [&](const Step& step) { failures.add("undo " + step.name(), undoIfUnheld(step)); };
  sweepStep(LoopbackReachable{nobody});
  sweepStep(ForwardAccepted{nobody});
  sweepStep(IngressLimited{nobody});
  sweepStep(BridgeConfined{nobody});
  sweepStep(BridgeFiltered{nobody});
  failures.add("undo the nf_tables tables", undoTablesIfUnused());
  for (const Family family : {Family::Ipv4, Family::Ipv6}) sweepStep(ForwardingHeld{family});
  sweepStep(BridgePresent{nobody});
  return failures.result();
}

}  // namespace

netlib::Result<> sweep(Host& host, const NetworkName& network, const netlib::IfName& bridge,
                       const std::vector<netlib::IpPrefix>& subnets) {
  // Steps follow from an attachment; the shared ones ask only for its bridge.
  const Attachment nobody = bareAttachment({network, ContainerId::parse("nobody").value(), bridge}, bridge);

  Failures failures;
  failures.add("sweep links", sweepLinks(host, network, "veth", hostVethName));
  failures.add("sweep links", sweepLinks(host, network, "ifb", ifbName));
  const netlib::FileLock hostLock = TRY(host.ledger.lockHost());
  failures.add("sweep the ledger", host.ledger.sweepClaims(hostLock, network));
  const auto veths = TRY(recordedVeths(host));
  failures.add("sweep guards", sweepGuards(host, veths));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep egress policies", sweepEgress(host, family, veths));
    failures.add("sweep published ports", sweepForwards(host, family, subnets));
    failures.add("sweep chains", sweepChains(host, hostLock, family, network, subnets));
  }
  failures.add("sweep shared state", sweepShared(host, hostLock, nobody));
  return failures.result();
}

}  // namespace pons
