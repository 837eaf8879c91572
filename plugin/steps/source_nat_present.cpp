#include "plugin/steps/source_nat_present.h"

#include "plugin/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

void appendElements(nft::Transaction& transaction, const SourceNat& nat, const std::string& chain) {
  for (const auto& subnet : nat.subnets) {
    transaction.addElements(nat::tableOf(nat.family), nat::kSources, nat::sourceElements(subnet, chain));
  }
}

netlib::Result<bool> exists(Host& host, const nft::Table& table, const std::string& chain) {
  const auto rules = nft::countRules(host.netfilter, table, chain);
  if (!rules && !rules.failedWith(ENOENT)) return netlib::fail(rules.error());
  return rules.ok();
}

/// The chain that a subnet's packets take; empty where none is set.
netlib::Result<std::string> chainAt(Host& host, const SourceNat& nat, const netlib::IpPrefix& subnet) {
  const nft::Element start = nat::sourceElements(subnet, "").front();
  const auto found = TRY(nft::findElement(host.netfilter, nat::tableOf(nat.family), nat::kSources, start));
  return found ? found->jumpTo : std::string{};
}

/// The chains, by subnet, that lead elsewhere than to `chain`: those of the network's earlier configuration, or of
/// another plugin of it.
netlib::Result<std::map<std::string, std::string>> otherChains(Host& host, const SourceNat& nat,
                                                               const std::string& chain) {
  std::map<std::string, std::string> chains;
  for (const auto& subnet : nat.subnets) {
    const std::string present = TRY(chainAt(host, nat, subnet));
    if (!present.empty() && present != chain) chains.emplace(subnet.toString(), present);
  }
  return chains;
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
  TRY(tables::rebuild(host, hostLock, attachment_));
  return setChain(host);
}

netlib::Result<> SourceNatPresent::setChain(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  const nft::Table table = nat::tableOf(nat_.family);
  const auto others = TRY(otherChains(host, nat_, chain));
  // Every chain does what one for published ports alone does; so such a one never takes the place of another.
  const bool replaces = nat_.masquerade && !others.empty();
  if (replaces) TRY(host.ledger.remember(hold(), others));
  const bool haveChain = TRY(exists(host, table, chain));
  nft::Transaction transaction;
  if (!haveChain) { nat::appendNetwork(transaction, nat_, chain, nat::networkComment(attachment_.key.network)); }
  for (const auto& subnet : nat_.subnets) {
    const bool taken = others.contains(subnet.toString());
    if (taken && !replaces) continue;
    if (taken) transaction.deleteElements(table, nat::kSources, nat::sourceElements(subnet, ""));
    transaction.addElements(table, nat::kSources, nat::sourceElements(subnet, chain));
  }
  return transaction.commit(host.netfilter);
}

netlib::Result<> SourceNatPresent::undo(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  const nft::Table table = nat::tableOf(nat_.family);
  const auto replaced = TRY(host.ledger.remembered(hold()));
  nft::Transaction transaction;
  for (const auto& subnet : nat_.subnets) {
    // After a change of configuration the subnet may belong to a newer chain by now.
    if (TRY(chainAt(host, nat_, subnet)) != chain) continue;
    transaction.deleteElements(table, nat::kSources, nat::sourceElements(subnet, ""));
    // Containers of the earlier configuration get their chain back.
    const auto earlier = replaced.find(subnet.toString());
    if (earlier == replaced.end() || !TRY(exists(host, table, earlier->second))) continue;
    transaction.addElements(table, nat::kSources, nat::sourceElements(subnet, earlier->second));
  }
  transaction.deleteChain(table, chain);
  const auto gone = transaction.commit(host.netfilter);
  if (!gone && !gone.failedWith(ENOENT)) return gone;
  return host.ledger.forget(hold());
}

netlib::Result<> SourceNatPresent::verify(Host& host) const {
  const std::string chain = chainOf(attachment_, nat_);
  for (const auto& subnet : nat_.subnets) {
    // After a change of configuration it may lead to the network's other chain, and that is right, too.
    if (TRY(chainAt(host, nat_, subnet)).empty()) {
      return broken(name() + ": the nf_tables map sources lacks " + subnet.toString());
    }
  }
  const auto rules = nft::countRules(host.netfilter, nat::tableOf(nat_.family), chain);
  if (rules.failedWith(ENOENT)) return broken(name() + ": nf_tables chain " + chain + " is gone");
  if (!rules) return netlib::fail(rules.error());
  if (*rules != nat::ruleCountOf(nat_)) return broken(name() + ": nf_tables chain " + chain + " has lost rules");
  return {};
}

// A chain that is there but lost rules would pass apply()'s look.
netlib::Result<> SourceNatPresent::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
