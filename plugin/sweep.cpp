#include "plugin/sweep.h"

#include <algorithm>

#include "plugin/failures.h"
#include "plugin/nat_transaction.h"
#include "plugin/plan.h"
#include "plugin/steps/bridge_present.h"
#include "plugin/steps/forwarding_held.h"
#include "plugin/steps/loopback_reachable.h"
#include "plugin/steps/nat_table_present.h"

namespace pons {

namespace link = netlib::link;
using netlib::Family;

namespace {

/// Who the alias of a host end names; see VethPair.
std::optional<AttachmentKey> keyOfAlias(const std::string& alias, const NetworkName& network) {
  const std::string prefix = "pons " + network.toString() + " ";
  if (!alias.starts_with(prefix)) return std::nullopt;
  const std::size_t space = alias.find(' ', prefix.size());
  if (space == std::string::npos) return std::nullopt;
  const auto container = ContainerId::parse(std::string_view{alias}.substr(prefix.size(), space - prefix.size()));
  const auto ifName = netlib::IfName::parse(std::string_view{alias}.substr(space + 1));
  if (!container || !ifName) return std::nullopt;
  return AttachmentKey{network, *container, *ifName};
}

netlib::Result<> sweepLinks(Host& host, const NetworkName& network) {
  Failures failures;
  for (const link::Link& veth : TRY(link::ofKind(host.route, "veth"))) {
    const auto key = keyOfAlias(veth.alias, network);
    // The record was written before the link was made, so a link that was seen first and has none is nobody's. An alias
    // that was cut short tells another key, from which another name follows.
    if (!key || hostVethName(*key).toString() != veth.name || TRY(host.ledger.isOnRecord(*key))) continue;
    // By index: an ADD that came meanwhile has made a link of the same name.
    const auto removed = link::remove(host.route, veth.index);
    if (!removed.failedWith(ENODEV)) failures.add("delete " + veth.name, removed);
  }
  return failures.result();
}

bool isInside(const netlib::IpAddress& address, const std::vector<netlib::IpPrefix>& subnets) {
  return std::ranges::any_of(subnets, [&](const netlib::IpPrefix& subnet) { return subnet.contains(address); });
}

/// A published port of this network in nf_tables that nobody has claimed.
netlib::Result<bool> hasForeignForwards(Host& host, Family family, const std::vector<netlib::IpPrefix>& subnets) {
  for (const char* map : {nat::kForwardsAny, nat::kForwardsIp}) {
    for (const auto& element : TRY(netlib::nft::listElements(host.netfilter, nat::tableOf(family), map))) {
      const auto forward = nat::forwardOf(element, family, map);
      if (forward && isInside(forward->target, subnets) && !TRY(host.ledger.isClaimed(*forward))) return true;
    }
  }
  return false;
}

/// A chain of this network that no attachment holds. The holds are asked, not the records: one that cannot be read, or
/// that a newer pons wrote, may be a living container's.
netlib::Result<bool> hasForeignChains(Host& host, const netlib::FileLock& hostLock, Family family,
                                      const NetworkName& network) {
  for (const auto& chain : TRY(netlib::nft::listChains(host.netfilter, nat::tableOf(family)))) {
    if (chain.comment != nat::networkComment(network)) continue;
    if (!TRY(host.ledger.isHeld(hostLock, hold::sourceNat(network, chain.name)))) return true;
  }
  return false;
}

/// Rebuilding is one atomic transaction in which every packet finds what is on record; deleting element by element
/// would have to tell an old one from a new one of the same key.
netlib::Result<> sweepTable(Host& host, const netlib::FileLock& hostLock, Family family, const NetworkName& network,
                            const std::vector<netlib::IpPrefix>& subnets) {
  const bool foreign =
      TRY(hasForeignForwards(host, family, subnets)) || TRY(hasForeignChains(host, hostLock, family, network));
  return foreign ? nat::rebuild(host, hostLock, family) : netlib::Result<>{};
}

/// Shared state that no attachment at all holds any more.
netlib::Result<> sweepShared(Host& host, const netlib::FileLock& hostLock, const Attachment& nobody) {
  Failures failures;
  const auto undoIfUnheld = [&](const Step& step) -> netlib::Result<> {
    const bool held = TRY(host.ledger.isHeld(hostLock, step.hold()));
    return held ? netlib::Result<>{} : step.undo(host);
  };
  const auto sweepStep = [&](const Step& step) { failures.add("undo " + step.name(), undoIfUnheld(step)); };
  sweepStep(LoopbackReachable{nobody});
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    sweepStep(NatTablePresent{family});
    sweepStep(ForwardingHeld{family});
  }
  sweepStep(BridgePresent{nobody});
  return failures.result();
}

}  // namespace

netlib::Result<> sweep(Host& host, const NetworkName& network, const netlib::IfName& bridge,
                       const std::vector<netlib::IpPrefix>& subnets) {
  // Steps follow from an attachment; the shared ones ask only for its bridge.
  const Attachment nobody = bareAttachment({network, ContainerId::parse("nobody").value(), bridge}, bridge);

  Failures failures;
  failures.add("sweep links", sweepLinks(host, network));
  const netlib::FileLock hostLock = TRY(host.ledger.lockHost());
  failures.add("sweep the ledger", host.ledger.sweepClaims(hostLock, network));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep nf_tables", sweepTable(host, hostLock, family, network, subnets));
  }
  failures.add("sweep shared state", sweepShared(host, hostLock, nobody));
  return failures.result();
}

}  // namespace pons
