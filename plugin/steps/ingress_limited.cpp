#include "plugin/steps/ingress_limited.h"

#include <array>

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

constexpr std::array kFamilies{Family::Ipv4, Family::Ipv6};

}  // namespace

std::string IngressLimited::name() const { return "ingress policy of bridge " + attachment_.bridge.name.toString(); }

std::string IngressLimited::hold() const { return hold::ingress(attachment_); }

netlib::Result<> IngressLimited::apply(Host& host) const {
  for (const Family family : kFamilies) TRY(apply(host, family));
  return {};
}

netlib::Result<> IngressLimited::apply(Host& host, Family family) const {
  const nft::Table table = nat::tableOf(family);
  const std::array limited{bridges::elementOf(attachment_.bridge.name)};
  const std::array within{bridges::pairOf(attachment_.bridge.name)};
  const bool sameBridge = attachment_.ingress == IngressPolicy::SameBridge;
  TRY(tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
    if (sameBridge) transaction.addElements(table, bridges::kWithin, within);
    transaction.addElements(table, bridges::kLimited, limited);
  }));
  if (sameBridge || !TRY(nft::findElement(host.netfilter, table, bridges::kWithin, within.front()))) return {};
  return tables::removeElements(host, {{{table.family, bridges::kWithin}, {within.begin(), within.end()}}});
}

netlib::Result<> IngressLimited::undo(Host& host) const {
  tables::Elements elements;
  for (const Family family : kFamilies) {
    const nft::Table table = nat::tableOf(family);
    elements[{table.family, bridges::kLimited}] = {bridges::elementOf(attachment_.bridge.name)};
    elements[{table.family, bridges::kWithin}] = {bridges::pairOf(attachment_.bridge.name)};
  }
  return tables::removeElements(host, elements);
}

netlib::Result<> IngressLimited::verify(Host& host) const {
  for (const Family family : kFamilies) TRY(verify(host, family));
  return {};
}

netlib::Result<> IngressLimited::verify(Host& host, Family family) const {
  const nft::Table table = nat::tableOf(family);
  const auto limited = bridges::elementOf(attachment_.bridge.name);
  if (!TRY(nft::findElement(host.netfilter, table, bridges::kLimited, limited))) {
    return broken(name() + ": the nf_tables set limited lacks it");
  }
  const auto within = bridges::pairOf(attachment_.bridge.name);
  const bool talk = TRY(nft::findElement(host.netfilter, table, bridges::kWithin, within)).has_value();
  if (talk == (attachment_.ingress == IngressPolicy::SameBridge)) return {};
  return broken(name() + ": its containers are " + (talk ? "not isolated" : "isolated") + " in nf_tables");
}

// A skeleton that lost the chain with the drop would pass apply().
netlib::Result<> IngressLimited::repair(Host& host) const {
  const auto hostLock = TRY(host.ledger.lockHost());
  return tables::rebuild(host, hostLock, attachment_);
}

}  // namespace pons
