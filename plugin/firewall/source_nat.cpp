#include "plugin/firewall/source_nat.h"

#include <algorithm>
#include <set>

#include "netlib/nft/hook.h"

namespace pons::source {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

netlib::Result<bool> exists(Host& host, const nft::Table& table, const std::string& chain) {
  const auto rules = nft::countRules(host.netfilter, table, chain);
  if (!rules && !rules.failedWith(ENOENT)) return netlib::fail(rules.error());
  return rules.ok();
}

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

/// The elements of the map sources that jump to one of the chains: of each interval the start and the end element.
netlib::Result<std::vector<nft::Element>> sourcesJumpingTo(Host& host, Family family,
                                                           const std::set<std::string>& chains) {
  auto all = TRY(nft::listElements(host.netfilter, nat::tableOf(family), nat::kSources));
  // Where one interval begins as another ends, the end comes first.
  std::ranges::sort(all, {}, [](const nft::Element& element) { return std::pair{element.key, !element.intervalEnd}; });
  std::vector<nft::Element> leading;
  for (auto element = all.begin(); element != all.end(); ++element) {
    if (element->intervalEnd || !chains.contains(element->jumpTo)) continue;
    leading.push_back(*element);
    if (const auto next = element + 1; next != all.end() && next->intervalEnd) leading.push_back(*next);
  }
  return leading;
}

/// Replaces the elements of the subnet and of those in `held` by what `held` needs, in one transaction.
netlib::Result<> replaceSources(Host& host, const netlib::IpPrefix& subnet, std::vector<netlib::IpPrefix> held) {
  std::set<std::string> chains{nat::subnetChain(subnet)};
  for (const netlib::IpPrefix& other : held) chains.insert(nat::subnetChain(other));
  const nft::Table table = nat::tableOf(subnet.family());
  const auto present = TRY(sourcesJumpingTo(host, subnet.family(), chains));
  nft::Transaction transaction;
  transaction.deleteElements(table, nat::kSources, present);
  transaction.addElements(table, nat::kSources, nat::sourceElements(std::move(held)));
  return transaction.commit(host.netfilter);
}

}  // namespace

netlib::Result<> addMissingChains(Host& host, const Attachment& attachment) {
  nft::Transaction transaction;
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) {
    const bool present = TRY(exists(host, nat::tableOf(subnet.family()), nat::subnetChain(subnet)));
    if (!present) nat::appendSubnet(transaction, subnet);
  }
  for (const SourceNat& nat : attachment.sourceNats) {
    const std::string chain = chainOf(attachment, nat);
    if (!nat.masquerade || TRY(exists(host, nat::tableOf(nat.family), chain))) continue;
    nat::appendNetwork(transaction, nat, chain, nat::networkComment(attachment.key.network));
  }
  return transaction.commit(host.netfilter);
}

netlib::Result<> join(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held = TRY(nestedSubnets(host, subnet));
  if (std::ranges::find(held, subnet) == held.end()) held.push_back(subnet);
  return replaceSources(host, subnet, std::move(held));
}

netlib::Result<> removeSubnet(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held = TRY(nestedSubnets(host, subnet));
  std::erase(held, subnet);
  TRY(netlib::ignoring(ENOENT, replaceSources(host, subnet, std::move(held))));
  nft::Transaction transaction;
  transaction.deleteChain(nat::tableOf(subnet.family()), nat::subnetChain(subnet));
  return netlib::ignoring(ENOENT, transaction.commit(host.netfilter));
}

netlib::Result<> removeNetwork(Host& host, Family family, const std::string& chain,
                               const std::vector<std::string>& subnetChains) {
  const nft::Table table = nat::tableOf(family);
  nft::Transaction transaction;
  for (const std::string& from : subnetChains) {
    for (const auto& rule : TRY(nft::listRules(host.netfilter, table, from))) {
      if (rule.target == chain) transaction.deleteRule(table, from, rule.handle);
    }
  }
  // Of pons 0.1.0 before subnet chains: there the map jumps to the chains of networks.
  const auto leading = TRY(sourcesJumpingTo(host, family, {chain}));
  transaction.deleteElements(table, nat::kSources, leading);
  transaction.deleteChain(table, chain);
  transaction.deleteSet(table, chain);
  return netlib::ignoring(ENOENT, transaction.commit(host.netfilter));
}

}  // namespace pons::source
