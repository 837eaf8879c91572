#include "plugin/steps/gateway_address.h"

#include "netlib/rtnl/address.h"

#include "plugin/context/link_owner.h"

namespace pons {

namespace address = netlib::address;
namespace link = netlib::link;

namespace {

netlib::Result<> remove(Host& host, unsigned bridgeIndex, const netlib::IpPrefix& prefix) {
  netlib::Batch batch;
  address::appendRemove(batch, bridgeIndex, prefix);
  const auto removed = host.route.request(batch);
  if (!removed && !removed.failedWith(EADDRNOTAVAIL)) return netlib::fail(removed.error());
  return {};
}

/// A host address (as flannel's VXLAN link has) routes nothing but itself.
bool isHostAddress(const netlib::IpPrefix& prefix) { return prefix.length() == netlib::bitsOf(prefix.family()); }

netlib::Failure<netlib::Error> overlap(Host& host, const netlib::IpPrefix& gateway,
                                       const address::InterfaceAddress& other) {
  const auto owner = link::find(host.route, other.index);
  const std::string where = owner ? owner->name : "another link";
  return netlib::fail(EINVAL, "gateway address " + gateway.toString() + " overlaps " + other.prefix.toString() +
                                  " of " + where + ": choose a subnet that the host does not use");
}

/// Only looked at when the address was missing, so on no usual ADD: overlapping subnets would send the containers'
/// packets to the wrong link. Answers what has to give way on the bridge itself ("forceAddress").
netlib::Result<std::vector<netlib::IpPrefix>> addressesToReplace(Host& host, const netlib::IpPrefix& gateway,
                                                                 bool force) {
  std::vector<netlib::IpPrefix> toReplace;
  for (const auto& other : TRY(address::list(host.route, gateway.family()))) {
    const bool sameBridge = other.index == host.bridge.index;
    if (sameBridge && other.prefix == gateway) continue;
    if (isHostAddress(other.prefix) || other.prefix.address().isLinkLocal() || !other.prefix.overlaps(gateway))
      continue;
    if (!sameBridge || !force) return overlap(host, gateway, other);
    toReplace.push_back(other.prefix);
  }
  return toReplace;
}

/// Written down first, so that they come back with undo().
netlib::Result<> replace(Host& host, const std::string& hold, const std::vector<netlib::IpPrefix>& replaced) {
  std::map<std::string, std::string> originals;
  for (const netlib::IpPrefix& prefix : replaced) originals[prefix.toString()] = "replaced";
  {
    const auto lock = TRY(host.ledger.lockHost());
    TRY(host.ledger.remember(hold, originals));
  }
  for (const netlib::IpPrefix& prefix : replaced) TRY(remove(host, host.bridge.index, prefix));
  return {};
}

netlib::Result<> bringBackReplaced(Host& host, const std::string& hold, unsigned bridgeIndex) {
  for (const auto& [text, why] : TRY(host.ledger.remembered(hold))) {
    const auto prefix = netlib::IpPrefix::parse(text);
    if (!prefix) return netlib::fail(EBADMSG, "the ledger's originals of " + hold + " name no address: " + text);
    netlib::Batch batch;
    address::appendAdd(batch, bridgeIndex, *prefix, address::DuplicateDetection::Off);
    const auto added = host.route.request(batch);
    if (!added && !added.failedWith(EEXIST)) return netlib::fail(added.error());
  }
  return host.ledger.forget(hold);
}

}  // namespace

std::string GatewayAddress::name() const {
  return "gateway address " + address_.toString() + " on bridge " + attachment_.bridge.name.toString();
}

std::string GatewayAddress::hold() const { return hold::gateway(attachment_, address_); }

netlib::Result<> GatewayAddress::apply(Host& host) const {
  const auto added = add(host);
  if (added.failedWith(EEXIST)) return {};
  if (!added) return added;

  auto alone = makeAlone(host);
  // The error that matters is the first one.
  if (!alone) static_cast<void>(undo(host));
  return alone;
}

netlib::Result<> GatewayAddress::add(Host& host) const {
  netlib::Batch batch;
  address::appendAdd(batch, host.bridge.index, address_, address::DuplicateDetection::Off);
  TRY(host.route.request(batch));
  return {};
}

netlib::Result<> GatewayAddress::makeAlone(Host& host) const {
  const auto replaced = TRY(addressesToReplace(host, address_, attachment_.bridge.forceAddress));
  if (replaced.empty()) return {};
  TRY(replace(host, hold(), replaced));
  // Among IPv4 addresses of one subnet the kernel takes the later ones away with the first, and ours came later.
  const auto again = add(host);
  return again.failedWith(EEXIST) ? netlib::Result<>{} : again;
}

netlib::Result<> GatewayAddress::undo(Host& host) const {
  const auto bridge = link::find(host.route, attachment_.bridge.name);
  if (bridge.failedWith(ENODEV)) return host.ledger.forget(hold());
  if (!bridge) return netlib::fail(bridge.error());
  // Whoever uses our bridge uses its addresses: they go with the bridge.
  if (isOfPons(*bridge) && TRY(servesOthers(host, *bridge))) return host.ledger.forget(hold());
  for (const auto& present : TRY(address::list(host.route, address_.family(), bridge->index))) {
    // An address without our mark was there before us. Kernels before 5.18 keep no mark: there it stays, unless the
    // bridge is ours and goes.
    if (present.prefix == address_ && present.own) TRY(remove(host, bridge->index, address_));
  }
  return bringBackReplaced(host, hold(), bridge->index);
}

netlib::Result<> GatewayAddress::verify(Host& host) const {
  const auto bridge = link::find(host.route, attachment_.bridge.name);
  if (bridge.failedWith(ENODEV)) return broken("bridge " + attachment_.bridge.name.toString() + " is gone");
  if (!bridge) return netlib::fail(bridge.error());
  for (const auto& present : TRY(address::list(host.route, address_.family(), bridge->index))) {
    if (present.prefix == address_) return {};
  }
  return broken(name() + " is missing");
}

}  // namespace pons
