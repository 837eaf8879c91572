#include "plugin/firewall/ruleset.h"

#include <algorithm>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

void merge(Elements& to, TableFamily family, const nft::ElementsBySet& bySet) {
  for (const auto& [set, some] : bySet) {
    if (some.empty()) continue;
    auto& elements = to[{family, set}];
    elements.insert(elements.end(), some.begin(), some.end());
  }
}

}  // namespace

netlib::Result<SharedParts> sharedPartsOf(Ledger& ledger, const std::vector<Attachment>& attachments) {
  SharedParts shared;
  for (const TableFamily family : kAll) {
    if (TRY(ledger.mayBeReferenced(shared_state::tables(nameOf(family))))) shared.tables[family];
  }
  for (const std::string& state : TRY(ledger.sharedStatesNamed(shared_state::kSubnetPrefix))) {
    if (const auto subnet = shared_state::subnetOf(state)) shared.subnets.insert(*subnet);
  }
  for (const Attachment& attachment : attachments) {
    const netlib::IfName bridge = routedLink(attachment);
    if (shared.policies.contains(bridge)) continue;
    shared.policies[bridge] = TRY(bridges::policyOf(ledger, shared_state::ingress(attachment)));
    for (const bridges::Restriction restriction : bridges::kRestrictions) {
      const bool isAsked = TRY(ledger.mayBeReferenced(bridges::stateOf(attachment, restriction)));
      if (isAsked) shared.restrictions.emplace(bridge, restriction);
    }
    if (TRY(ledger.mayBeReferenced(shared_state::routeLocalnet(attachment)))) shared.loopbacks.insert(bridge);
  }
  return shared;
}

Ruleset::Ruleset(std::vector<Attachment> attachments, SharedParts shared, Elements own)
    : attachments_(std::move(attachments)), shared_(std::move(shared)), elements_(std::move(own)) {
  for (const Attachment& attachment : attachments_) include(attachment);
  for (const auto& [container, interfaces] : guarded_) {
    for (const Attachment* one : interfaces) {
      for (const Attachment* other : interfaces)
        merge(elements_, TableFamily::Bridge, guard::elementsBetween(*one, *other));
    }
  }
  includeShared();
}

void Ruleset::includeShared() {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (!shared_.tables.contains(static_cast<TableFamily>(family))) continue;
    includeSubnets(family);
    includePolicies(family);
    if (family == Family::Ipv4) includeLoopbacks();
  }
}

void Ruleset::includeSubnets(Family family) {
  std::vector<netlib::IpPrefix> subnets;
  const auto isOfFamily = [family](const netlib::IpPrefix& subnet) { return subnet.family() == family; };
  std::ranges::copy_if(shared_.subnets, std::back_inserter(subnets), isOfFamily);
  if (subnets.empty()) return;
  const auto table = static_cast<TableFamily>(family);
  shared_.tables[table].insert(Part::SourceNat);
  merge(elements_, table, {{nat::kSources, nat::sourceElements(std::move(subnets))}});
}

void Ruleset::includePolicies(Family family) {
  const auto table = static_cast<TableFamily>(family);
  const auto add = [&](const nft::ElementsBySet& bySet) {
    if (!bySet.empty()) shared_.tables[table].insert(Part::Policies);
    merge(elements_, table, bySet);
  };
  for (const auto& [bridge, policy] : shared_.policies) add(bridges::elementsOf(bridge, policy));
  for (const auto& [bridge, restriction] : shared_.restrictions) add(bridges::elementsOf(bridge, restriction));
}

void Ruleset::includeLoopbacks() {
  for (const auto& bridge : shared_.loopbacks) {
    shared_.tables[TableFamily::Ipv4].insert({Part::SourceNat, Part::Ports});
    merge(elements_, TableFamily::Ipv4, {{nat::kBridges, {bridges::elementOf(bridge)}}});
  }
}

void Ruleset::include(const Attachment& attachment) {
  for (const auto& [table, parts] : partsOf(attachment)) shared_.tables[table].insert(parts.begin(), parts.end());
  for (const SourceNat& nat : attachment.sourceNats) {
    if (!nat.masquerade) continue;
    networks_.emplace(std::pair{nat.family(), chainOf(attachment, nat)}, Network{nat, attachment.key.network});
  }
  if (attachment.guard == SpoofGuard::Address)
    guarded_[shared_state::guardedContainer(attachment.key)].push_back(&attachment);
}

void Ruleset::appendTo(nft::Transaction& transaction) const {
  for (const netlib::IpPrefix& subnet : shared_.subnets) {
    const auto table = shared_.tables.find(static_cast<TableFamily>(subnet.family()));
    if (table == shared_.tables.end()) continue;
    const bool hasPorts = table->second.contains(Part::Ports);
    nat::appendSubnet(transaction, subnet, nat::hairpinIf(hasPorts));
  }
  for (const auto& [chain, network] : networks_) {
    nat::appendNetwork(transaction, network.nat, chain.second, nat::networkComment(network.name));
  }
  for (const Attachment& attachment : attachments_) {
    for (const Family family : egress::familiesOf(attachment)) egress::appendObjects(transaction, attachment, family);
  }
  addElements(transaction, elements_);
}

}  // namespace pons::tables
