#include "plugin/firewall/policy_change.h"

#include "plugin/firewall/egress_table.h"
#include "plugin/firewall/table_transaction.h"

namespace pons::tables {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// The elements first, since they lead to the objects. nf_tables allows the same keys and names again in one
/// transaction.
void appendChange(nft::Transaction& transaction, const PolicyChange& change) {
  for (const Family family : egress::familiesOf(change.from)) {
    for (const auto& [set, elements] : egress::elementsOf(change.from, family)) {
      transaction.deleteElements(nat::tableOf(family), set, elements);
    }
  }
  egress::appendRemoval(transaction, change.from);
  for (const Family family : egress::familiesOf(change.to)) {
    egress::appendObjects(transaction, change.to, family);
    for (const auto& [set, elements] : egress::elementsOf(change.to, family)) {
      transaction.addElements(nat::tableOf(family), set, elements);
    }
  }
}

}  // namespace

netlib::Result<> replacePolicies(Host& host, std::span<const PolicyChange> changes) {
  if (changes.empty()) return {};
  std::set<TableFamily> families;
  for (const PolicyChange& change : changes) {
    for (const Family family : egress::familiesOf(change.from)) families.insert(static_cast<TableFamily>(family));
  }
  const auto replaced = commitAsOwner(host, families, [&](nft::Transaction& transaction) {
    for (const PolicyChange& change : changes) appendChange(transaction, change);
  });
  const bool isDifferent = replaced.failedWith(ENOENT) || replaced.failedWith(EEXIST) || replaced.failedWith(EBUSY);
  return isDifferent ? rebuild(host, changes.front().to) : replaced;
}

}  // namespace pons::tables
