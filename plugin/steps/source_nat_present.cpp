#include "plugin/steps/source_nat_present.h"

#include <algorithm>

#include "netlib/nft/hook.h"

#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;

std::string SourceNatPresent::name() const {
  return std::string{nameOf(nat_.family)} + " masquerade of network " + attachment_.key.network.toString();
}

std::string SourceNatPresent::hold() const { return hold::sourceNat(attachment_, nat_); }

// Nothing to send: OwnEntries' transaction names the chain, and makes it where it is missing (tables::commit).
netlib::Result<> SourceNatPresent::apply(Host&) const { return {}; }

netlib::Result<> SourceNatPresent::undo(Host& host) const {
  std::vector<std::string> subnetChains;
  for (const netlib::IpPrefix& subnet : nat_.subnets) subnetChains.push_back(nat::subnetChain(subnet));
  return source::removeNetwork(host, nat_.family, chainOf(attachment_, nat_), subnetChains);
}

netlib::Result<> SourceNatPresent::verify(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  const nft::Table table = nat::tableOf(nat_.family);
  for (const netlib::IpPrefix& subnet : nat_.subnets) {
    const auto rules = TRY(nft::listRules(host.netfilter, table, nat::subnetChain(subnet)));
    if (std::ranges::find(rules, chain, &netlib::filter::Rule::target) != rules.end()) continue;
    return broken(name() + ": nf_tables chain " + nat::subnetChain(subnet) + " does not jump to " + chain);
  }
  const auto rules = nft::countRules(host.netfilter, table, chain);
  if (rules.failedWith(ENOENT)) return broken(name() + ": nf_tables chain " + chain + " is gone");
  if (!rules) return netlib::fail(rules.error());
  if (*rules != nat::ruleCountOf(nat_)) return broken(name() + ": nf_tables chain " + chain + " has lost rules");
  return {};
}

// A chain that is there but lost rules would pass OwnEntries' transaction.
netlib::Result<> SourceNatPresent::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
