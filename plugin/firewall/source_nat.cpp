#include "plugin/firewall/source_nat.h"

#include <algorithm>
#include <set>

#include "netlib/nft/hook.h"

#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/table_content.h"
#include "plugin/firewall/table_parts.h"

namespace pons::source {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// The referenced subnets that contain this one or are contained in it.
netlib::Result<std::vector<netlib::IpPrefix>> nestedSubnets(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held;
  for (const std::string& hold : TRY(host.ledger.sharedStatesNamed(shared_state::kSubnetPrefix))) {
    if (const auto other = shared_state::subnetOf(hold)) held.push_back(*other);
  }
  netlib::IpPrefix widest = subnet;
  for (const netlib::IpPrefix& other : held) {
    if (other.overlaps(widest) && other.length() < widest.length()) widest = other;
  }
  std::erase_if(held, [&widest](const netlib::IpPrefix& other) { return !other.overlaps(widest); });
  return held;
}

/// Of these, the other ones that have a chain: one whose first container is being added joins with it.
netlib::Result<std::vector<netlib::IpPrefix>> othersWithChain(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> others;
  for (const netlib::IpPrefix& other : TRY(nestedSubnets(host, subnet))) {
    if (other == subnet) continue;
    const nft::Table table = nat::tableOf(other.family());
    if (TRY(nft::hasChain(host.netfilter, table, nat::subnetChain(other)))) others.push_back(other);
  }
  return others;
}

/// False for an element that pons has not added: the chain of a subnet is the target of that subnet's addresses only.
bool isOurs(const nft::Element& start) {
  const auto subnet = nat::subnetOfChain(start.jumpTo);
  const auto address = netlib::IpAddress::fromBytes(start.key);
  return !subnet || (address && subnet->contains(*address));
}

/// Those of the map sources that jump to one of the chains: of each interval the start and the end element.
std::vector<nft::Element> jumpingTo(const std::set<std::string>& chains, std::vector<nft::Element> all) {
  // Where one interval begins as another ends, the end comes first.
  std::ranges::sort(all, {}, [](const nft::Element& element) { return std::pair{element.key, !element.intervalEnd}; });
  std::vector<nft::Element> leading;
  for (auto element = all.begin(); element != all.end(); ++element) {
    if (element->intervalEnd || !chains.contains(element->jumpTo) || !isOurs(*element)) continue;
    leading.push_back(*element);
    if (const auto next = element + 1; next != all.end() && next->intervalEnd) leading.push_back(*next);
  }
  return leading;
}

netlib::Result<std::vector<nft::Element>> sourcesJumpingTo(Host& host, Family family,
                                                           const std::set<std::string>& chains) {
  return jumpingTo(chains, TRY(nft::listElements(host.netfilter, nat::tableOf(family), nat::kSources)));
}

/// Replaces the elements of the subnet and of those in `held` by what `held` needs.
netlib::Result<tables::Changes> replacingSources(Host& host, const netlib::IpPrefix& subnet,
                                                 std::vector<netlib::IpPrefix> held) {
  std::set<std::string> chains{nat::subnetChain(subnet)};
  for (const netlib::IpPrefix& other : held) chains.insert(nat::subnetChain(other));
  const nft::Table table = nat::tableOf(subnet.family());
  auto present = TRY(sourcesJumpingTo(host, subnet.family(), chains));
  return tables::Changes{[table, present = std::move(present),
                          wanted = nat::sourceElements(std::move(held))](nft::Transaction& transaction) {
    transaction.deleteElements(table, nat::kSources, present);
    transaction.addElements(table, nat::kSources, wanted);
  }};
}

/// What the attachment needs of a table, beside elements and its own chains. The attachment must outlive it.
struct Shared {
  tables::Parts parts;
  std::vector<netlib::IpPrefix> subnets = {};
  std::vector<const SourceNat*> networks = {};
};

Shared sharedOf(const Attachment& attachment, tables::TableFamily family, const tables::Parts& parts) {
  const auto isOfTable = [family](netlib::Family one) { return nat::tableOf(one).family == family; };
  Shared shared{.parts = parts};
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) {
    if (isOfTable(subnet.family())) shared.subnets.push_back(subnet);
  }
  for (const SourceNat& nat : attachment.sourceNats) {
    if (nat.masquerade && isOfTable(nat.family())) shared.networks.push_back(&nat);
  }
  return shared;
}

nft::Names namesOf(const Attachment& attachment, const Shared& shared, tables::TableFamily family) {
  nft::Names names = tables::markersOf(tables::allParts(family));
  for (const netlib::IpPrefix& subnet : shared.subnets) names.chains.insert(nat::subnetChain(subnet));
  for (const SourceNat* nat : shared.networks) names.chains.insert(chainOf(attachment, *nat));
  return names;
}

void erase(Shared& shared, const Attachment& attachment, const nft::Names& present) {
  std::erase_if(shared.parts, [&](tables::Part part) { return tables::isIn(present, part); });
  std::erase_if(shared.subnets, [&](const auto& one) { return present.chains.contains(nat::subnetChain(one)); });
  std::erase_if(shared.networks, [&](const auto* one) { return present.chains.contains(chainOf(attachment, *one)); });
}

/// The subnets that a table has chains of.
netlib::Result<std::vector<netlib::IpPrefix>> subnetsIn(Host& host, const nft::Table& table) {
  std::vector<netlib::IpPrefix> subnets;
  for (const auto& chain : TRY(nft::listChains(host.netfilter, table))) {
    if (const auto subnet = nat::subnetOfChain(chain.name)) subnets.push_back(*subnet);
  }
  return subnets;
}

/// ENOENT where the table is missing.
netlib::Result<tables::Changes> missingIn(Host& host, const Attachment& attachment, tables::TableFamily family,
                                          const tables::Parts& parts) {
  const nft::Table table = tables::tableOf(family);
  Shared shared = sharedOf(attachment, family, parts);
  const auto present = TRY(nft::present(host.netfilter, table, namesOf(attachment, shared, family)));
  const bool hasPorts = parts.contains(tables::Part::Ports) || tables::isIn(present, tables::Part::Ports);
  const nat::Hairpin hairpin = nat::hairpinIf(hasPorts);
  erase(shared, attachment, present);
  std::vector<netlib::IpPrefix> withoutHairpin;
  if (shared.parts.contains(tables::Part::Ports)) withoutHairpin = TRY(subnetsIn(host, table));
  if (!shared.parts.empty()) tables::loadModules(host.netfilter, family, shared.parts);
  return tables::Changes{[=, &attachment](nft::Transaction& transaction) {
    for (const tables::Part part : shared.parts) tables::appendPart(transaction, family, part);
    for (const netlib::IpPrefix& subnet : withoutHairpin) nat::appendHairpin(transaction, subnet);
    for (const netlib::IpPrefix& subnet : shared.subnets) nat::appendSubnet(transaction, subnet, hairpin);
    for (const SourceNat* nat : shared.networks) {
      nat::appendNetwork(transaction, *nat, chainOf(attachment, *nat), nat::networkComment(attachment.key.network));
    }
  }};
}

}  // namespace

netlib::Result<> addMissing(Host& host, const Attachment& attachment) {
  std::vector<tables::Changes> changes;
  std::set<tables::TableFamily> families;
  for (const auto& [family, parts] : tables::partsOf(attachment)) {
    families.insert(family);
    changes.push_back(TRY(missingIn(host, attachment, family, parts)));
  }
  return tables::commitAsOwner(host, families, [&](nft::Transaction& transaction) {
    for (const tables::Changes& change : changes) change(transaction);
  });
}

netlib::Result<> join(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held = TRY(nestedSubnets(host, subnet));
  if (std::ranges::find(held, subnet) == held.end()) held.push_back(subnet);
  const auto changes = TRY(replacingSources(host, subnet, std::move(held)));
  return tables::commitAsOwner(host, {nat::tableOf(subnet.family()).family}, changes);
}

netlib::Result<> removeSubnet(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held = TRY(othersWithChain(host, subnet));
  const nft::Table table = nat::tableOf(subnet.family());
  const auto remove = [&](const tables::Changes& changes) {
    return netlib::ignoring(ENOENT, tables::removeAsOwner(host, table.family, changes));
  };
  const auto changes = TRY(replacingSources(host, subnet, std::move(held)));
  TRY(remove(changes));
  const auto removed =
      remove([&](nft::Transaction& transaction) { transaction.deleteChain(table, nat::subnetChain(subnet)); });
  // An element or rule that pons has not added jumps to it: the chain stays.
  return netlib::ignoring(EBUSY, removed);
}

netlib::Result<> removeNetwork(Host& host, Family family, const std::string& chain,
                               const std::vector<std::string>& subnetChains) {
  const nft::Table table = nat::tableOf(family);
  std::vector<std::pair<std::string, std::uint64_t>> jumps;  // by the chain that they are in
  for (const std::string& from : subnetChains) {
    for (const auto& rule : TRY(nft::listRules(host.netfilter, table, from))) {
      if (rule.target == chain) jumps.emplace_back(from, rule.handle);
    }
  }
  // Of pons 0.1.0 before subnet chains: there the map jumps to the chains of networks.
  const auto leading = TRY(sourcesJumpingTo(host, family, {chain}));
  const auto removed = tables::removeAsOwner(host, table.family, [&](nft::Transaction& transaction) {
    for (const auto& [from, handle] : jumps) transaction.deleteRule(table, from, handle);
    transaction.deleteElements(table, nat::kSources, leading);
    transaction.deleteChain(table, chain);
    transaction.deleteSet(table, chain);
  });
  return netlib::ignoring(ENOENT, removed);
}

netlib::Result<Differences> differencesOf(Host& host, const netlib::IpPrefix& subnet) {
  const nft::Table table = nat::tableOf(subnet.family());
  const std::string chain = nat::subnetChain(subnet);
  // The networks of the subnet, in the order in which they came: that each has its jump is for masqueradeChain().
  std::vector<std::string> networks;
  for (const auto& rule : TRY(nft::listRules(host.netfilter, table, chain))) {
    const bool known = std::ranges::find(networks, rule.target) != networks.end();
    if (isNetworkChain(rule.target) && !known) networks.push_back(rule.target);
  }
  std::vector<netlib::IpPrefix> held = TRY(othersWithChain(host, subnet));
  held.push_back(subnet);
  const auto elements = jumpingTo({chain}, nat::sourceElements(std::move(held)));
  const auto parts = TRY(tables::presentParts(host.netfilter, table.family));
  const nat::Hairpin hairpin = nat::hairpinIf(parts.contains(tables::Part::Ports));
  return tables::differencesOf(host, [&](nft::Transaction& transaction) {
    nat::appendSubnet(transaction, subnet, hairpin);
    for (const std::string& network : networks) nat::appendJump(transaction, subnet, network);
    transaction.addElements(table, nat::kSources, elements);
  });
}

}  // namespace pons::source
