#include "plugin/steps/guarded_interfaces.h"

#include "plugin/firewall/guard_table.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

using netlib::nft::TableFamily;

/// What the other interfaces' ports need for the attachment's addresses, and its port for theirs.
netlib::Result<tables::Elements> elementsWithOthers(Host& host, const Attachment& attachment) {
  tables::Elements elements;
  const auto add = [&elements](const Attachment& one, const Attachment& other) {
    for (const auto& [set, some] : guard::elementsBetween(one, other)) {
      auto& all = elements[{TableFamily::Bridge, set}];
      all.insert(all.end(), some.begin(), some.end());
    }
  };
  for (const AttachmentKey& key : TRY(host.ledger.holders(hold::guardedContainer(attachment.key)))) {
    if (key == attachment.key) continue;
    const auto other = host.ledger.look(key);
    if (!other || !*other) continue;  // going, or unreadable: nothing can be made from it
    add(attachment, (*other)->attachment);
    add((*other)->attachment, attachment);
  }
  return elements;
}

}  // namespace

std::string GuardedInterfaces::name() const { return "spoof guard across the container's interfaces"; }

std::string GuardedInterfaces::hold() const { return hold::guardedContainer(attachment_.key); }

netlib::Result<> GuardedInterfaces::apply(Host& host) const {
  if (!host.ledger.wasHeld(hold())) return {};
  const auto elements = TRY(elementsWithOthers(host, attachment_));
  return tables::commit(host, attachment_,
                        [&](nft::Transaction& transaction) { tables::addElements(transaction, elements); });
}

netlib::Result<> GuardedInterfaces::leave(Host& host) const {
  return tables::removeElements(host, TRY(elementsWithOthers(host, attachment_)));
}

// The only interface has nothing together with others.
netlib::Result<> GuardedInterfaces::undo(Host&) const { return {}; }

netlib::Result<> GuardedInterfaces::verify(Host& host) const {
  for (const auto& [set, elements] : TRY(elementsWithOthers(host, attachment_))) {
    for (const nft::Element& expected : elements) {
      if (TRY(nft::findElement(host.netfilter, guard::table(), set.second, expected))) continue;
      return broken("spoof guard: an address of the container is missing at port " + guard::portOf(expected) +
                    " in the nf_tables set " + set.second + " of table bridge pons");
    }
  }
  return {};
}

netlib::Result<> GuardedInterfaces::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
