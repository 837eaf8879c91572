#include "plugin/firewall/source_nat.h"

#include <algorithm>
#include <set>

#include "netlib/nft/hook.h"

#include "plugin/firewall/table_content.h"
#include "plugin/firewall/table_owner.h"

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

}  // namespace

netlib::Result<> addMissingChains(Host& host, const Attachment& attachment) {
  std::set<tables::TableFamily> families;
  std::vector<netlib::IpPrefix> subnets;
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) {
    const nft::Table table = nat::tableOf(subnet.family());
    families.insert(table.family);
    if (!TRY(nft::hasChain(host.netfilter, table, nat::subnetChain(subnet)))) subnets.push_back(subnet);
  }
  std::vector<const SourceNat*> networks;
  for (const SourceNat& nat : attachment.sourceNats) {
    const nft::Table table = nat::tableOf(nat.family());
    if (nat.masquerade && !TRY(nft::hasChain(host.netfilter, table, chainOf(attachment, nat))))
      networks.push_back(&nat);
  }
  return tables::commitAsOwner(host, families, [&](nft::Transaction& transaction) {
    for (const netlib::IpPrefix& subnet : subnets) nat::appendSubnet(transaction, subnet);
    for (const SourceNat* nat : networks) {
      nat::appendNetwork(transaction, *nat, chainOf(attachment, *nat), nat::networkComment(attachment.key.network));
    }
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
  return tables::differencesOf(host, [&](nft::Transaction& transaction) {
    nat::appendSubnet(transaction, subnet);
    for (const std::string& network : networks) nat::appendJump(transaction, subnet, network);
    transaction.addElements(table, nat::kSources, elements);
  });
}

}  // namespace pons::source
