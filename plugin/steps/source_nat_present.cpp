#include "plugin/steps/source_nat_present.h"

#include "plugin/nat_transaction.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

void appendElements(nft::Transaction& transaction, const SourceNat& nat, const std::string& chain) {
  for (const auto& subnet : nat.subnets) {
    transaction.addElements(nat::tableOf(nat.family), nat::kSources, nat::sourceElements(subnet, chain));
  }
}

/// The chain that a subnet's packets take; empty where none is set.
netlib::Result<std::string> chainAt(Host& host, const SourceNat& nat, const netlib::IpPrefix& subnet) {
  const nft::Element start = nat::sourceElements(subnet, "").front();
  const auto found = TRY(nft::findElement(host.netfilter, nat::tableOf(nat.family), nat::kSources, start));
  return found ? found->jumpTo : std::string{};
}

/// Those that have a chain already: the one that the network had under an earlier configuration.
netlib::Result<std::vector<netlib::IpPrefix>> subnetsToFree(Host& host, const SourceNat& nat) {
  std::vector<netlib::IpPrefix> taken;
  for (const auto& subnet : nat.subnets) {
    if (!TRY(chainAt(host, nat, subnet)).empty()) taken.push_back(subnet);
  }
  return taken;
}

}  // namespace

std::string SourceNatPresent::name() const {
  return std::string{nameOf(nat_.family)} + " masquerade of network " + attachment_.key.network.toString();
}

std::string SourceNatPresent::hold() const { return hold::sourceNat(attachment_, nat_); }

netlib::Result<> SourceNatPresent::apply(Host& host) const {
  // Adding an element that is there as it is changes nothing, and one that names a missing chain fails: so this is at
  // once the look and, on all but the network's first ADD, the whole work.
  nft::Transaction look;
  appendElements(look, nat_, chainOf(attachment_, nat_));
  const auto present = look.commit(host.netfilter);
  if (present || !(present.failedWith(ENOENT) || present.failedWith(EEXIST))) return present;

  // Two first containers of a network, or an ADD after a change of configuration, come one after the other.
  const auto hostLock = TRY(host.ledger.lockHost());
  const auto set = setChain(host);
  if (!set.failedWith(ENOENT)) return set;
  TRY(nat::rebuild(host, hostLock, nat_.family));
  return setChain(host);
}

netlib::Result<> SourceNatPresent::setChain(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  const nft::Table table = nat::tableOf(nat_.family);
  const auto taken = TRY(subnetsToFree(host, nat_));
  const bool haveChain = nft::countRules(host.netfilter, table, chain).ok();
  nft::Transaction transaction;
  if (!haveChain) { nat::appendNetwork(transaction, nat_, chain, nat::networkComment(attachment_.key.network)); }
  for (const auto& subnet : taken) {
    transaction.deleteElements(table, nat::kSources, nat::sourceElements(subnet, ""));
  }
  appendElements(transaction, nat_, chain);
  return transaction.commit(host.netfilter);
}

netlib::Result<> SourceNatPresent::undo(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  nft::Transaction transaction;
  for (const auto& subnet : nat_.subnets) {
    // After a change of configuration the subnet may belong to a newer chain by now.
    if (TRY(chainAt(host, nat_, subnet)) != chain) continue;
    transaction.deleteElements(nat::tableOf(nat_.family), nat::kSources, nat::sourceElements(subnet, ""));
  }
  transaction.deleteChain(nat::tableOf(nat_.family), chain);
  const auto gone = transaction.commit(host.netfilter);
  return gone.failedWith(ENOENT) ? netlib::Result<>{} : gone;
}

netlib::Result<> SourceNatPresent::verify(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  for (const auto& subnet : nat_.subnets) {
    if (TRY(chainAt(host, nat_, subnet)) != chain) {
      return broken(name() + ": the nf_tables map sources lacks " + subnet.toString());
    }
  }
  const auto rules = nft::countRules(host.netfilter, nat::tableOf(nat_.family), chain);
  if (rules.failedWith(ENOENT)) return broken(name() + ": nf_tables chain " + chain + " is gone");
  if (!rules) return netlib::fail(rules.error());
  if (*rules != nat::ruleCountOf(nat_)) return broken(name() + ": nf_tables chain " + chain + " has lost rules");
  return {};
}

}  // namespace pons
