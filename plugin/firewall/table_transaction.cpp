#include "plugin/firewall/table_transaction.h"

#include <algorithm>
#include <array>

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/kernel_features.h"
#include "plugin/firewall/orphan_elements.h"
#include "plugin/firewall/restricted_ports.h"
#include "plugin/firewall/ruleset.h"
#include "plugin/firewall/source_nat.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

std::set<TableFamily> familiesIn(const PartsByTable& tables) {
  std::set<TableFamily> families;
  for (const auto& [table, parts] : tables) families.insert(table);
  return families;
}

std::set<TableFamily> familiesIn(const Elements& elements) {
  std::set<TableFamily> families;
  for (const auto& [set, some] : elements) families.insert(set.first);
  return families;
}

/// The families in which it needs a table.
std::set<TableFamily> familiesOf(const Attachment& attachment) { return familiesIn(partsOf(attachment)); }

/// EINVAL: the set of that name has keys of another length, and so no such element.
bool isMissing(const netlib::Result<>& removed) { return removed.failedWith(ENOENT) || removed.failedWith(EINVAL); }

/// A removal from several sets: something is gone already, or one of the tables is another ledger's.
bool hasToSplit(const netlib::Result<>& removed) {
  return isMissing(removed) || removed.failedWith(netlib::Cause::InUse);
}

netlib::Result<> removeElements(Host& host, const std::pair<TableFamily, std::string>& set,
                                std::span<const nft::Element> elements) {
  const auto removed = removeAsOwner(host, set.first, [&](nft::Transaction& transaction) {
    transaction.deleteElements(tableOf(set.first), set.second, elements);
  });
  if (!isMissing(removed)) return removed;
  if (elements.size() <= 1) return {};
  // A missing one fails the whole transaction. (NFT_MSG_DESTROYSETELEM does not fail, but needs Linux 6.3.)
  for (std::size_t i = 0; i < elements.size(); ++i) TRY(removeElements(host, set, elements.subspan(i, 1)));
  return {};
}

void appendOwn(nft::Transaction& transaction, const Attachment& attachment) {
  for (const Family family : egress::familiesOf(attachment)) egress::appendObjects(transaction, attachment, family);
  addElements(transaction, elementsOf(attachment));
}

/// Replaces the elements of that port by those of `owner`, which has this forward alone.
netlib::Result<> forwardTo(Host& host, const Attachment& owner) {
  const PortForward& forward = owner.forwards.front();
  const Family family = forward.target.family();
  const nft::Table table = nat::tableOf(family);
  const nft::Element wanted = nat::elementOf(forward);
  const auto present = TRY(nft::findElement(host.netfilter, table, nat::mapOf(forward), wanted));
  if (present && present->data == wanted.data) return {};
  return removeAsOwner(host, table.family, [&](nft::Transaction& transaction) {
    if (present) transaction.deleteElements(table, nat::mapOf(forward), {&wanted, 1});
    for (const auto& [set, some] : nat::elementsOf(owner, family)) transaction.addElements(table, set, some);
  });
}

Elements restrictionsOf(const PortForward& forward) {
  Elements elements;
  const TableFamily family = nat::tableOf(forward.target.family()).family;
  for (auto& [set, some] : restricted::elementsOf(forward)) elements[{family, set}] = std::move(some);
  return elements;
}

/// elementsOf() but those of its egress policy.
Elements withoutPolicyOf(const Attachment& attachment) {
  Elements elements;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const auto table = static_cast<TableFamily>(family);
    for (auto& [set, some] : nat::elementsOf(attachment, family)) elements[{table, set}] = std::move(some);
  }
  for (auto& [set, some] : guard::elementsOf(attachment)) elements[{TableFamily::Bridge, set}] = std::move(some);
  return elements;
}

netlib::Result<Ruleset> rulesetOf(Host& host, std::vector<Attachment> active, SharedParts shared) {
  Elements own;
  for (const Attachment& each : active) {
    for (const auto& [set, some] : elementsOf(TRY(withOwnedPorts(host, each)))) {
      own[set].insert(own[set].end(), some.begin(), some.end());
    }
  }
  return Ruleset{std::move(active), std::move(shared), std::move(own)};
}

netlib::Result<> write(Host& host, const Ruleset& ruleset) {
  for (const auto& [table, parts] : ruleset.tables()) loadModules(host.netfilter, table, parts);
  const auto replaced = replaceTables(host, familiesIn(ruleset.tables()), [&](nft::Transaction& transaction) {
    for (const auto& [table, parts] : ruleset.tables()) {
      appendSkeleton(transaction, table, parts);
      appendOwner(transaction, table, host.ledger);
    }
    ruleset.appendTo(transaction);
  });
  return replaced ? replaced : netlib::fail(explained(host.netfilter, ruleset.tables(), replaced.error()));
}

/// True if the table of that family has a part that the attachment needs and `needed` lacks.
netlib::Result<bool> hasUnneeded(Host& host, const Attachment& attachment, TableFamily family, const Parts& needed) {
  Parts unneeded = partsOf(attachment)[family];
  for (const Part part : needed) unneeded.erase(part);
  if (unneeded.empty()) return false;
  const Parts present = TRY(presentParts(host.netfilter, family));
  return std::ranges::any_of(unneeded, [&](Part part) { return present.contains(part); });
}

}  // namespace

netlib::Result<> commit(Host& host, const Attachment& attachment, const Changes& changes) {
  auto committed = commitAsOwner(host, familiesOf(attachment), changes);
  if (!committed.failedWith(ENOENT)) return committed;
  const HostLock hostLock = TRY(host.ledger.lockHost());
  return commit(host, hostLock, attachment, changes);
}

netlib::Result<> commit(Host& host, const HostLock& hostLock, const Attachment& attachment, const Changes& changes) {
  const auto once = [&] { return commitAsOwner(host, familiesOf(attachment), changes); };
  auto committed = once();  // another process rebuilt while we waited for the lock
  if (committed.failedWith(ENOENT) && source::addMissing(host, attachment)) committed = once();
  if (!committed.failedWith(ENOENT)) return committed;
  TRY(rebuild(host, hostLock, attachment));
  return once();
}

Elements elementsOf(const Attachment& attachment) {
  Elements elements = withoutPolicyOf(attachment);
  for (const Family family : egress::familiesOf(attachment)) {
    for (auto& [set, some] : egress::elementsOf(attachment, family)) {
      elements[{static_cast<TableFamily>(family), set}] = std::move(some);
    }
  }
  return elements;
}

Elements sharedElementsOf(const Attachment& attachment) {
  Elements elements;
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) {
    auto& sources = elements[{static_cast<TableFamily>(subnet.family()), nat::kSources}];
    std::ranges::move(nat::sourceElements(subnet), std::back_inserter(sources));
  }
  return elements;
}

void addElements(nft::Transaction& transaction, const Elements& elements) {
  for (const auto& [set, some] : elements) transaction.addElements(tableOf(set.first), set.second, some);
}

netlib::Result<> removeElements(Host& host, const Elements& elements) {
  if (elements.empty()) return {};
  const auto removed = commitAsOwner(host, familiesIn(elements), [&](nft::Transaction& transaction) {
    for (const auto& [set, some] : elements) transaction.deleteElements(tableOf(set.first), set.second, some);
  });
  if (!hasToSplit(removed)) return removed;
  for (const auto& [set, some] : elements) TRY(removeElements(host, set, some));
  return {};
}

netlib::Result<> add(Host& host, const Attachment& attachment) {
  return commit(host, attachment, [&](nft::Transaction& transaction) {
    appendOwn(transaction, attachment);
    addElements(transaction, sharedElementsOf(attachment));
  });
}

netlib::Result<> replace(Host& host, const HostLock& hostLock, const Attachment& attachment) {
  TRY(source::addMissing(host, attachment));
  for (const netlib::IpPrefix& subnet : sourceSubnets(attachment)) TRY(source::join(host, subnet));
  const Attachment own = TRY(withOwnedPorts(host, attachment));
  TRY(removeOrphansAt(host, own));
  TRY(removeElements(host, withoutPolicyOf(own)));
  return commit(host, hostLock, attachment, [&](nft::Transaction& transaction) { appendOwn(transaction, own); });
}

netlib::Result<> handOver(Host& host, const HostLock& /*hostLock*/, const Attachment& attachment) {
  Attachment own = attachment;
  own.forwards.clear();
  for (const PortForward& forward : attachment.forwards) {
    const auto next = TRY(host.ledger.portOwner(forward, attachment.key));
    if (next) {
      TRY(forwardTo(host, *next));
      TRY(removeElements(host, restrictionsOf(forward)));  // when the port leads elsewhere: until then they apply
    } else {
      own.forwards.push_back(forward);
    }
  }
  return remove(host, own);
}

netlib::Result<Attachment> withOwnedPorts(Host& host, Attachment attachment) {
  if (attachment.forwards.empty() || !TRY(host.ledger.sharesPorts(attachment.key.container))) return attachment;
  std::vector<PortForward> owned;
  for (const PortForward& forward : attachment.forwards) {
    const auto owner = TRY(host.ledger.portOwner(forward));
    if (owner && owner->key == attachment.key) owned.push_back(forward);
  }
  attachment.forwards = std::move(owned);
  return attachment;
}

netlib::Result<> remove(Host& host, const Attachment& attachment) {
  const Elements elements = elementsOf(attachment);
  if (elements.empty()) return {};
  const auto removed = commitAsOwner(host, familiesIn(elements), [&](nft::Transaction& transaction) {
    for (const auto& [set, some] : elements) transaction.deleteElements(tableOf(set.first), set.second, some);
    egress::appendRemoval(transaction, attachment);
  });
  if (!hasToSplit(removed)) return removed;
  TRY(removeElements(host, elements));
  for (const Family family : egress::familiesOf(attachment))
    TRY(removeEgressObjects(host, family, attachment.hostVeth));
  return {};
}

netlib::Result<> removeEgressObjects(Host& host, Family family, const netlib::IfName& hostVeth) {
  const nft::Table table = nat::tableOf(family);
  for (const auto type : {nft::ObjectType::Counter, nft::ObjectType::Limit}) {
    const auto removed = removeAsOwner(host, table.family, [&](nft::Transaction& transaction) {
      transaction.deleteObject(table, type, egress::objectOf(hostVeth));
    });
    TRY(netlib::ignoring(ENOENT, removed));
  }
  return {};
}

netlib::Result<> rebuild(Host& host, const HostLock& hostLock, const Attachment& attachment) {
  std::vector<Attachment> active = TRY(host.ledger.activeAttachments(hostLock));
  for (const Attachment& other : active) TRY(host.ledger.addMissingReferences(hostLock, other));
  SharedParts shared = TRY(sharedPartsOf(host.ledger, active));
  for (const auto& [table, parts] : partsOf(attachment)) shared.tables[table].insert(parts.begin(), parts.end());
  return write(host, TRY(rulesetOf(host, std::move(active), std::move(shared))));
}

netlib::Result<> rebuild(Host& host, const Attachment& attachment) {
  const HostLock hostLock = TRY(host.ledger.lockHost());
  return rebuild(host, hostLock, attachment);
}

netlib::Result<> removeUnneeded(Host& host, const Attachment& attachment) {
  const HostLock hostLock = TRY(host.ledger.lockHost());
  std::vector<Attachment> active = TRY(host.ledger.activeAttachments(hostLock));
  SharedParts shared = TRY(sharedPartsOf(host.ledger, active));
  const Ruleset ruleset = TRY(rulesetOf(host, std::move(active), std::move(shared)));
  for (const auto& [family, parts] : ruleset.tables()) {
    if (TRY(hasUnneeded(host, attachment, family, parts))) return write(host, ruleset);
  }
  return {};
}

netlib::Result<> removeTable(Host& host, TableFamily family) {
  const auto removed =
      removeAsOwner(host, family, [&](nft::Transaction& transaction) { transaction.deleteTable(tableOf(family)); });
  // A kernel without nf_tables in that family has no table there.
  if (removed.failedWith(EOPNOTSUPP) || removed.failedWith(EAFNOSUPPORT)) return {};
  return netlib::ignoring(ENOENT, removed);
}

}  // namespace pons::tables
