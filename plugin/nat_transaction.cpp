#include "plugin/nat_transaction.h"

#include <algorithm>
#include <array>
#include <set>

namespace pons::nat {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

netlib::Result<> commitOnce(Host& host, const Changes& changes) {
  nft::Transaction transaction;
  changes(transaction);
  return transaction.commit(host.netfilter);
}

/// All attachments on record in one family, as transactions want it: elements by the map that holds them, every chain
/// once, every subnet once (a network whose configuration changed has two chains for it; either is right).
class Recorded {
 public:
  Recorded(Family family, const std::vector<Attachment>& attachments) : family_(family) {
    for (const Attachment& attachment : attachments) take(attachment);
    // A chain that masquerades does all that one for published ports alone does.
    for (const bool masquerade : {true, false}) {
      for (const Attachment& attachment : attachments) takeNats(attachment, masquerade);
    }
  }

  void appendTo(nft::Transaction& transaction) const {
    const nft::Table table = tableOf(family_);
    for (const auto& [chain, network] : networks_) {
      appendNetwork(transaction, network.nat, chain, networkComment(network.name));
    }
    transaction.addElements(table, kSources, sources_);
    for (const auto& [set, elements] : forwards_) transaction.addElements(table, set, elements);
    transaction.addElements(table, kBridges, bridges_);
    std::vector<nft::Element> limited;
    std::vector<nft::Element> within;
    for (const auto& [bridge, policy] : policies_) {
      limited.push_back(bridgeElement(bridge));
      if (policy == IngressPolicy::SameBridge) within.push_back(withinElement(bridge));
    }
    transaction.addElements(table, kLimited, limited);
    transaction.addElements(table, kWithin, within);
  }

 private:
  struct Network {
    SourceNat nat;
    NetworkName name;
  };

  void takeNats(const Attachment& attachment, bool masquerade) {
    for (const SourceNat& nat : attachment.sourceNats) {
      if (nat.family == family_ && nat.masquerade == masquerade) takeNat(attachment, nat);
    }
  }

  void take(const Attachment& attachment) {
    for (const auto& [set, elements] : elementsOf(attachment, family_)) {
      std::ranges::copy(elements, std::back_inserter(forwards_[set]));
    }
    const auto holds = holdsOf(attachment);
    const bool loopback = std::ranges::find(holds, hold::loopback(attachment)) != holds.end();
    if (loopback && family_ == Family::Ipv4 && bridgeNames_.insert(attachment.bridge.name.toString()).second) {
      bridges_.push_back(bridgeElement(attachment.bridge.name));
    }
    // Of several for one bridge the strictest counts.
    if (attachment.ingress == IngressPolicy::Open) return;
    IngressPolicy& policy = policies_.emplace(attachment.bridge.name, attachment.ingress).first->second;
    policy = std::max(policy, attachment.ingress);
  }

  void takeNat(const Attachment& attachment, const SourceNat& nat) {
    const std::string chain = chainOf(attachment, nat);
    if (!networks_.emplace(chain, Network{nat, attachment.key.network}).second) return;
    for (const auto& subnet : nat.subnets) {
      if (!subnets_.insert(subnet).second) continue;
      std::ranges::copy(sourceElements(subnet, chain), std::back_inserter(sources_));
    }
  }

  Family family_;
  std::map<std::string, Network> networks_;
  std::set<netlib::IpPrefix> subnets_;
  std::set<std::string> bridgeNames_;
  std::map<netlib::IfName, IngressPolicy> policies_;
  std::vector<nft::Element> sources_;
  Elements forwards_;
  std::vector<nft::Element> bridges_;
};

}  // namespace

netlib::Result<> commit(Host& host, Family family, const Changes& changes) {
  auto committed = commitOnce(host, changes);
  if (!committed.failedWith(ENOENT)) return committed;

  const netlib::FileLock hostLock = TRY(host.ledger.lockHost());
  committed = commitOnce(host, changes);  // somebody else rebuilt while we waited
  if (!committed.failedWith(ENOENT)) return committed;
  TRY(rebuild(host, hostLock, family));
  return commitOnce(host, changes);
}

netlib::Result<> removeElements(Host& host, Family family, const std::string& map,
                                std::span<const nft::Element> elements) {
  const auto removed = commitOnce(
      host, [&](nft::Transaction& transaction) { transaction.deleteElements(tableOf(family), map, elements); });
  if (!removed.failedWith(ENOENT)) return removed;
  if (elements.size() <= 1) return {};
  // One that is missing undoes the whole transaction, so they go one by one. (Linux 6.3 has a request that does not
  // mind, but Debian 12 runs 6.1.)
  for (std::size_t i = 0; i < elements.size(); ++i) TRY(removeElements(host, family, map, elements.subspan(i, 1)));
  return {};
}

netlib::Result<> removeElements(Host& host, Family family, const Elements& elements) {
  if (elements.empty()) return {};
  const auto removed = commitOnce(host, [&](nft::Transaction& transaction) {
    for (const auto& [set, some] : elements) transaction.deleteElements(tableOf(family), set, some);
  });
  if (!removed.failedWith(ENOENT)) return removed;
  for (const auto& [set, some] : elements) TRY(removeElements(host, family, set, some));
  return {};
}

netlib::Result<> rebuild(Host& host, const netlib::FileLock& hostLock, Family family) {
  const Recorded recorded{family, TRY(host.ledger.staying(hostLock))};
  return commitOnce(host, [&](nft::Transaction& transaction) {
    // Deleting fails where there is none, and adding first makes sure that there is one.
    transaction.addTable(tableOf(family));
    transaction.deleteTable(tableOf(family));
    appendSkeleton(transaction, family);
    recorded.appendTo(transaction);
  });
}

}  // namespace pons::nat
