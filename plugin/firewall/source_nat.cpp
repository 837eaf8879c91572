#include "plugin/firewall/source_nat.h"

#include <algorithm>
#include <set>

#include "netlib/nft/hook.h"

namespace pons::source {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

netlib::Result<> fineIfGone(const netlib::Result<>& removed) {
  return removed.failedWith(ENOENT) ? netlib::Result<>{} : removed;
}

netlib::Result<bool> exists(Host& host, const nft::Table& table, const std::string& chain) {
  const auto rules = nft::countRules(host.netfilter, table, chain);
  if (!rules && !rules.failedWith(ENOENT)) return netlib::fail(rules.error());
  return rules.ok();
}

/// The held subnets that are inside of one another with this one, and so share out its addresses.
netlib::Result<std::vector<netlib::IpPrefix>> heldAround(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held;
  for (const std::string& hold : TRY(host.ledger.holdsNamed(hold::kSubnet))) {
    if (const auto other = hold::subnetOf(hold)) held.push_back(*other);
  }
  netlib::IpPrefix widest = subnet;
  for (const netlib::IpPrefix& other : held) {
    if (other.overlaps(widest) && other.length() < widest.length()) widest = other;
  }
  std::erase_if(held, [&widest](const netlib::IpPrefix& other) { return !other.overlaps(widest); });
  return held;
}

/// The elements of the map sources that lead to one of the chains, each start with its end: nf_tables keeps an interval
/// as two of them.
netlib::Result<std::vector<nft::Element>> sourcesLeadingTo(Host& host, Family family,
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

/// `held` shares out the subnet's addresses from now on.
netlib::Result<> replaceSources(Host& host, const netlib::IpPrefix& subnet, std::vector<netlib::IpPrefix> held) {
  std::set<std::string> chains{nat::subnetChain(subnet)};
  for (const netlib::IpPrefix& other : held) chains.insert(nat::subnetChain(other));
  const nft::Table table = nat::tableOf(subnet.family());
  const auto present = TRY(sourcesLeadingTo(host, subnet.family(), chains));
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
  std::vector<netlib::IpPrefix> held = TRY(heldAround(host, subnet));
  if (std::ranges::find(held, subnet) == held.end()) held.push_back(subnet);
  return replaceSources(host, subnet, std::move(held));
}

netlib::Result<> leave(Host& host, const netlib::IpPrefix& subnet) {
  std::vector<netlib::IpPrefix> held = TRY(heldAround(host, subnet));
  std::erase(held, subnet);
  return fineIfGone(replaceSources(host, subnet, std::move(held)));
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
  // An older pons has the map lead to the chains of networks.
  const auto leading = TRY(sourcesLeadingTo(host, family, {chain}));
  transaction.deleteElements(table, nat::kSources, leading);
  transaction.deleteChain(table, chain);
  transaction.deleteSet(table, chain);
  return fineIfGone(transaction.commit(host.netfilter));
}

}  // namespace pons::source
