#include "plugin/steps/loopback_reachable.h"

#include <array>

#include "netlib/os/sysctl.h"

#include "plugin/firewall/bridge_policies.h"
#include "plugin/firewall/table_transaction.h"

namespace pons {

namespace nft = netlib::nft;
namespace sysctl = netlib::sysctl;
using netlib::Family;

namespace {

std::string switchOf(const Attachment& attachment) {
  return sysctl::ofInterface(Family::Ipv4, attachment.bridge.name, "route_localnet");
}

netlib::Result<> restoreSwitch(Host& host, const std::string& hold) {
  for (const auto& [name, value] : TRY(host.ledger.remembered(hold))) {
    const auto written = sysctl::write(name, value);
    // ENOENT: the bridge is gone, and its switch with it.
    if (!written && !written.failedWith(ENOENT)) return written;
  }
  return host.ledger.forget(hold);
}

}  // namespace

std::string LoopbackReachable::name() const {
  return "published ports at 127.0.0.1 through bridge " + attachment_.bridge.name.toString();
}

std::string LoopbackReachable::hold() const { return hold::loopback(attachment_); }

netlib::Result<> LoopbackReachable::apply(Host& host) const {
  const std::array element{bridges::elementOf(attachment_.bridge.name)};
  // The guard first, then what it guards against.
  TRY(tables::commit(host, attachment_, [&](nft::Transaction& transaction) {
    transaction.addElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
  }));
  if (host.bridge.routesLoopback) return {};
  const std::string name = switchOf(attachment_);
  const std::string value = TRY(sysctl::read(name));
  if (value == "1") return {};
  const auto lock = TRY(host.ledger.lockHost());
  TRY(host.ledger.remember(hold(), {{name, value}}));
  return sysctl::write(name, "1");
}

netlib::Result<> LoopbackReachable::undo(Host& host) const {
  TRY(restoreSwitch(host, hold()));
  const std::array element{bridges::elementOf(attachment_.bridge.name)};
  nft::Transaction transaction;
  transaction.deleteElements(nat::tableOf(Family::Ipv4), nat::kBridges, element);
  const auto gone = transaction.commit(host.netfilter);
  return gone.failedWith(ENOENT) ? netlib::Result<>{} : gone;
}

netlib::Result<> LoopbackReachable::verify(Host& host) const {
  const auto element = bridges::elementOf(attachment_.bridge.name);
  if (!TRY(nft::findElement(host.netfilter, nat::tableOf(Family::Ipv4), nat::kBridges, element))) {
    return broken(name() + ": the nf_tables set bridges lacks it");
  }
  const auto value = sysctl::read(switchOf(attachment_));
  if (value.failedWith(ENOENT)) return broken(name() + ": the bridge is gone");
  if (!value) return netlib::fail(value.error());
  return *value == "1" ? netlib::Result<>{}
                       : netlib::Result<>{broken(name() + ": " + switchOf(attachment_) + " is off")};
}

}  // namespace pons
