#include "plugin/steps/nat_table_present.h"

#include "plugin/nat_transaction.h"

namespace pons {

std::string NatTablePresent::name() const { return std::string{nameOf(family_)} + " table pons of nf_tables"; }

std::string NatTablePresent::hold() const { return hold::natTable(family_); }

// Nothing to send: the first transaction that misses the table makes it (nat::commit), and so does one that comes after
// somebody flushed the ruleset.
netlib::Result<> NatTablePresent::apply(Host&) const { return {}; }

netlib::Result<> NatTablePresent::undo(Host& host) const { return nat::removeTable(host.netfilter, family_); }

netlib::Result<> NatTablePresent::verify(Host& host) const {
  const auto missing = TRY(nat::missingPart(host.netfilter, family_));
  return missing ? netlib::Result<>{broken(name() + " lacks " + *missing)} : netlib::Result<>{};
}

netlib::Result<> NatTablePresent::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return nat::rebuild(host, hostLock, family_);
}

}  // namespace pons
