#include "plugin/steps/source_subnet.h"

#include <algorithm>

#include "netlib/nft/hook.h"

#include "plugin/firewall/source_nat.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;

std::string SourceSubnet::name() const { return "source NAT of subnet " + subnet_.toString(); }

std::string SourceSubnet::hold() const { return hold::subnet(subnet_); }

// Nothing to send: OwnEntries' transaction names the chain, and makes it where it is missing (tables::commit).
netlib::Result<> SourceSubnet::apply(Host&) const { return {}; }

netlib::Result<> SourceSubnet::undo(Host& host) const {
  TRY(source::leave(host, subnet_));
  nft::Transaction transaction;
  transaction.deleteChain(nat::tableOf(subnet_.family()), nat::subnetChain(subnet_));
  const auto gone = transaction.commit(host.netfilter);
  return gone.failedWith(ENOENT) ? netlib::Result<>{} : gone;
}

netlib::Result<> SourceSubnet::verify(Host& host) const {
  const nft::Table table = nat::tableOf(subnet_.family());
  const std::string chain = nat::subnetChain(subnet_);
  const auto sources = TRY(nft::listElements(host.netfilter, table, nat::kSources));
  if (std::ranges::find(sources, chain, &nft::Element::jumpTo) == sources.end()) {
    return broken(name() + ": the nf_tables map sources does not lead to chain " + chain);
  }
  const auto rules = TRY(nft::listRules(host.netfilter, table, chain));
  if (std::ranges::find(rules, std::string{}, &netlib::filter::Rule::target) != rules.end()) return {};
  return broken(name() + ": nf_tables chain " + chain + " has lost its masquerade of published ports");
}

// A chain that is there but lost rules would pass OwnEntries' transaction.
netlib::Result<> SourceSubnet::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
