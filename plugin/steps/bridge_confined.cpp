#include "plugin/steps/bridge_confined.h"

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;

namespace {

tables::Elements elementsOf(const Attachment& attachment) {
  tables::Elements elements;
  for (const auto family : {tables::TableFamily::Ipv4, tables::TableFamily::Ipv6}) {
    elements[{family, bridges::kConfined}] = {bridges::pairOf(attachment.bridge.name)};
    elements[{family, bridges::kInternal}] = {bridges::elementOf(attachment.bridge.name)};
  }
  return elements;
}

}  // namespace

std::string BridgeConfined::name() const { return "no forwarding out of bridge " + attachment_.bridge.name.toString(); }

std::string BridgeConfined::hold() const { return hold::internal(attachment_); }

netlib::Result<> BridgeConfined::apply(Host& host) const {
  return tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
    for (const auto& [set, some] : elementsOf(attachment_)) {
      transaction.addElements(tables::tableOf(set.first), set.second, some);
    }
  });
}

netlib::Result<> BridgeConfined::undo(Host& host) const {
  return tables::removeElements(host, elementsOf(attachment_));
}

netlib::Result<> BridgeConfined::verify(Host& host) const {
  for (const auto& [set, some] : elementsOf(attachment_)) {
    if (TRY(nft::findElement(host.netfilter, tables::tableOf(set.first), set.second, some.front()))) continue;
    return broken(name() + ": the nf_tables set " + set.second + " lacks it");
  }
  return {};
}

// A skeleton that lost the rule with the drop would pass apply().
netlib::Result<> BridgeConfined::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
