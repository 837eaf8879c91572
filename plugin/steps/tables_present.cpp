#include "plugin/steps/tables_present.h"

#include "plugin/firewall/table_transaction.h"

namespace pons {

std::string TablesPresent::name() const { return "tables pons of nf_tables"; }

std::string TablesPresent::hold() const { return hold::tables(); }

// Nothing to send: the first transaction that misses a table makes it (tables::commit), and so does one that comes
// after somebody flushed the ruleset.
netlib::Result<> TablesPresent::apply(Host&) const { return {}; }

// The last attachment takes those of all families: it need not be the one that brought them.
netlib::Result<> TablesPresent::undo(Host& host) const { return tables::removeAll(host); }

netlib::Result<> TablesPresent::verify(Host& host) const {
  for (const auto family : tables::familiesOf(attachment_)) {
    const auto missing = TRY(tables::missingPart(host, family));
    if (missing) return broken(std::string{"table "} + tables::nameOf(family) + " pons of nf_tables lacks " + *missing);
  }
  return {};
}

netlib::Result<> TablesPresent::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
