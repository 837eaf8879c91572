// What Sweep does with the nf_tables tables of pons.
#include <algorithm>

#include "netlib/base/error_list.h"

#include "plugin/engine/sweep.h"
#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace link = netlib::link;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::string_view kUnrecorded = "its port has no record";

Orphan policyOf(const netlib::IfName& veth, Family family) {
  return {"policy", veth.toString() + " " + std::string{nameOf(family)}, std::string{kUnrecorded}};
}

bool isInside(const netlib::IpAddress& address, const std::vector<netlib::IpPrefix>& subnets) {
  return std::ranges::any_of(subnets, [&](const netlib::IpPrefix& subnet) { return subnet.contains(address); });
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

/// How many ports, addresses, bridges and policies the table serves.
netlib::Result<std::size_t> countUses(Host& host, nft::TableFamily table) {
  if (table == nft::TableFamily::Bridge)
    return TRY(nft::listElements(host.netfilter, guard::table(), guard::kMacs)).size();
  const auto family = static_cast<Family>(table);
  std::size_t uses = 0;
  for (const char* map :
       {nat::kForwardsAny, nat::kForwardsIp, bridges::kPolicyBridges, bridges::kInternalBridges,
        bridges::kPublishedOnly, bridges::kSilentBridges, bridges::kRejectingBridges, egress::kSources}) {
    uses += TRY(nft::listElements(host.netfilter, nat::tableOf(family), map)).size();
  }
  for (const auto& chain : TRY(nft::listChains(host.netfilter, nat::tableOf(family)))) {
    if (nat::networkIn(chain.comment)) uses += TRY(membersOf(host, family, chain.name)).size();
  }
  return uses;
}

/// What the attachments on record have in the sets of allowFrom. Nothing if a record cannot be read: its elements,
/// which keep a port closed, are then not known.
netlib::Result<std::optional<nft::ElementsBySet>> restrictionsOnRecord(Host& host) {
  nft::ElementsBySet elements;
  for (const AttachmentKey& key : TRY(host.ledger.attachments())) {
    const auto seen = host.ledger.snapshot(key);
    if (!seen) return std::optional<nft::ElementsBySet>{};
    if (!*seen) continue;
    for (const PortForward& forward : (*seen)->attachment.forwards) {
      for (const auto& [set, some] : restricted::elementsOf(forward)) {
        std::ranges::copy(some, std::back_inserter(elements[set]));
      }
    }
  }
  return std::optional{std::move(elements)};
}

netlib::Result<bool> isThere(Host& host, nft::TableFamily table) {
  const auto found = nft::present(host.netfilter, tables::tableOf(table), {});
  if (!found && !found.failedWith(ENOENT)) return netlib::fail(found.error());
  return found.ok();
}

}  // namespace

/// The names of the veths that attachments on record have in the host, and of those that are there: another ledger may
/// tell of them. Under the host lock none can be added. Without those that mode Delete has removed by now.
netlib::Result<std::set<std::string>> Sweep::knownVeths(const std::vector<AttachmentKey>& lost) {
  std::set<std::string> veths;
  for (const AttachmentKey& key : TRY(host_.ledger.attachments())) veths.insert(hostVethName(key).toString());
  for (const link::Link& veth : TRY(link::ofKind(host_.route, "veth"))) veths.insert(veth.name);
  if (mode_ == Mode::Delete) return veths;
  for (const AttachmentKey& key : lost) veths.erase(hostVethName(key).toString());
  for (const Orphan& orphan : found_) {
    if (orphan.kind == "link") veths.erase(orphan.name);
  }
  return veths;
}

/// The published ports of this network in nf_tables without a claim. A claim comes before its element, and none can be
/// added under the host lock: so an element without one is an orphan.
netlib::Result<> Sweep::forwards(Family family, const std::vector<netlib::IpPrefix>& subnets) {
  const nft::Table table = nat::tableOf(family);
  if (!TRY(isSwept(host_, table.family))) return {};
  tables::Elements unclaimed;
  for (const char* map : {nat::kForwardsAny, nat::kForwardsIp}) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, table, map))) {
      const auto forward = nat::forwardOf(element, family, map);
      if (!forward || !isInside(forward->target, subnets) || TRY(host_.ledger.isClaimed(*forward))) continue;
      if (!noteUse(table.family, {"port", textOf(*forward), "not reserved by any attachment"})) continue;
      unclaimed[{table.family, map}].push_back(element);
      if (forward->protocol != Protocol::Udp) continue;
      unclaimed[{table.family, nat::udpSetOf(*forward)}].push_back(nat::udpElementOf(*forward));
    }
  }
  return tables::removeElements(host_, unclaimed);
}

/// The elements of allowFrom that no attachment on record has. They are listed before the records are read, since an
/// ADD writes its record first.
netlib::Result<> Sweep::restrictions(Family family, const std::vector<netlib::IpPrefix>& subnets) {
  const nft::Table table = nat::tableOf(family);
  if (!TRY(isSwept(host_, table.family))) return {};
  nft::ElementsBySet present;
  for (const std::string& set : restricted::setsOf(family)) {
    present[set] = TRY(nft::listElements(host_.netfilter, table, set));
  }
  if (std::ranges::all_of(present, [](const auto& set) { return set.second.empty(); })) return {};
  auto wanted = TRY(restrictionsOnRecord(host_));
  if (!wanted) return {};
  tables::Elements unwanted;
  for (const auto& [set, elements] : present) {
    for (const nft::Element& element : elements) {
      const auto port = restricted::portOf(element, family, set);
      if (!port || !isInside(port->target, subnets)) continue;
      const auto& recorded = (*wanted)[set];
      if (std::ranges::find(recorded, element) != recorded.end()) continue;
      const std::string name =
          std::string{nameOf(port->protocol)} + " " + std::to_string(port->hostPort) + " to " + port->target.toString();
      if (note({"port", "allowFrom of " + name, "of no attachment on record"})) {
        unwanted[{table.family, set}].push_back(element);
      }
    }
  }
  return tables::removeElements(host_, unwanted);
}

netlib::Result<> Sweep::guards(const std::set<std::string>& veths) {
  if (!TRY(isSwept(host_, nft::TableFamily::Bridge))) return {};
  tables::Elements unrecorded;
  for (const char* set : guard::kSets) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, guard::table(), set))) {
      const std::string port = guard::portOf(element);
      if (veths.contains(port) || !parseHostVethName(port)) continue;
      const Orphan orphan{"guard", port, std::string{kUnrecorded}};
      const bool isCounted = std::string_view{set} == guard::kMacs;
      if (!(isCounted ? noteUse(nft::TableFamily::Bridge, orphan) : note(orphan))) continue;
      unrecorded[{guard::table().family, set}].push_back(element);
    }
  }
  return tables::removeElements(host_, unrecorded);
}

/// The elements, by their comments, and the objects to which they lead.
netlib::Result<> Sweep::policies(Family family, const std::set<std::string>& veths) {
  const nft::Table table = nat::tableOf(family);
  if (!TRY(isSwept(host_, table.family))) return {};
  tables::Elements unrecorded;
  for (const std::string& set : egress::setsOf(family)) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, table, set))) {
      const auto veth = egress::vethOf(element);
      if (!veth || veths.contains(veth->toString())) continue;
      const Orphan orphan = policyOf(*veth, family);
      const bool isCounted = set == egress::kSources;
      if (!(isCounted ? noteUse(table.family, orphan) : note(orphan))) continue;
      unrecorded[{table.family, set}].push_back(element);
    }
  }
  TRY(tables::removeElements(host_, unrecorded));
  return policyObjects(family, veths);
}

netlib::Result<> Sweep::policyObjects(Family family, const std::set<std::string>& veths) {
  const nft::Table table = nat::tableOf(family);
  for (const auto type : {nft::ObjectType::Counter, nft::ObjectType::Limit}) {
    for (const std::string& object : TRY(nft::listObjects(host_.netfilter, table, type))) {
      const auto veth = egress::vethOfObject(object);
      if (!veth || veths.contains(veth->toString()) || !note(policyOf(*veth, family))) continue;
      TRY(tables::removeEgressObjects(host_, family, *veth));
    }
  }
  return {};
}

netlib::Result<> Sweep::ports(const std::vector<AttachmentKey>& lost) {
  netlib::ErrorList failures;
  const Lock hostLock = TRY(lock());
  const auto veths = TRY(knownVeths(lost));
  failures.add("sweep guards", guards(veths));
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    failures.add("sweep egress policies", policies(family, veths));
  }
  return failures.result();
}

/// The chains of this network that no attachment holds. The holds are asked, not the records: one that cannot be read,
/// or that a newer pons wrote, may be a living container's.
netlib::Result<> Sweep::chains(const Lock& hostLock, Family family, const NetworkName& network) {
  if (!TRY(isSwept(host_, nat::tableOf(family).family))) return {};
  for (const auto& chain : TRY(nft::listChains(host_.netfilter, nat::tableOf(family)))) {
    if (chain.comment != nat::networkComment(network) || !isNetworkChain(chain.name)) continue;
    if (TRY(isReferenced(hostLock, shared_state::sourceNat(network, chain.name)))) {
      TRY(masquerades(family, network, chain.name));
    } else if (note({"chain", chain.name, std::string{kUnreferenced}, network})) {
      TRY(removeNetwork(host_, family, chain.name));
    } else {
      left_[nat::tableOf(family).family] += TRY(membersOf(host_, family, chain.name)).size();
    }
  }
  return {};
}

/// The chains of subnets likewise.
netlib::Result<> Sweep::subnetChains(const Lock& hostLock, Family family,
                                     const std::vector<netlib::IpPrefix>& subnets) {
  if (!TRY(isSwept(host_, nat::tableOf(family).family))) return {};
  for (const auto& chain : TRY(nft::listChains(host_.netfilter, nat::tableOf(family)))) {
    const auto subnet = nat::subnetOfChain(chain.name);
    if (!subnet || !isInside(subnet->first(), subnets) || TRY(isReferenced(hostLock, shared_state::subnet(*subnet))))
      continue;
    if (!note({"chain", chain.name, std::string{kUnreferenced}})) continue;
    TRY(source::removeSubnet(host_, *subnet));
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
    const Orphan orphan{"masquerade", name, "no attachment has leased it", network};
    if (noteUse(nat::tableOf(family).family, orphan)) unclaimed.push_back(element);
  }
  return tables::removeElements(host_, {{{static_cast<nft::TableFamily>(family), chain}, unclaimed}});
}

/// What a bridge has in that set, if no attachment refers to the state: in mode Delete the step has removed it by now.
netlib::Result<> Sweep::countPolicies(const Lock& hostLock, const std::string& sharedState,
                                      const netlib::IfName& bridge, const char* set) {
  if (mode_ == Mode::Delete || TRY(isReferenced(hostLock, sharedState))) return {};
  const nft::Element own = bridges::elementOf(bridge);
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const auto& element : TRY(nft::listElements(host_.netfilter, nat::tableOf(family), set))) {
      if (element.key == own.key) ++left_[nat::tableOf(family).family];
    }
  }
  return {};
}

netlib::Result<> Sweep::emptyTables(const Lock& hostLock) {
  for (const auto table : tables::kAll) {
    const std::string state = shared_state::tables(tables::nameOf(table));
    if (TRY(isReferenced(hostLock, state)) || !TRY(isThere(host_, table)) || !TRY(isSwept(host_, table))) continue;
    // What other networks have counts as in use even without a record: their own GC removes it.
    if (TRY(countUses(host_, table)) > left_[table]) continue;
    if (note({"tables", "pons", std::string{kUnreferenced}})) TRY(tables::removeTable(host_, table));
  }
  return {};
}

}  // namespace pons
