#include "plugin/steps/port_forwards.h"

#include "netlib/address.h"
#include "netlib/conntrack.h"

#include "plugin/nat_transaction.h"

namespace pons {

namespace conntrack = netlib::conntrack;
namespace nft = netlib::nft;
using netlib::Family;

namespace {

/// The forwards of one family, as elements by the map that holds them.
struct Elements {
  std::vector<nft::Element> any;
  std::vector<nft::Element> ip;
  std::vector<nft::Element> masqueraded;

  bool empty() const { return any.empty() && ip.empty(); }
};

Elements elementsOf(const Attachment& attachment, Family family) {
  Elements elements;
  for (const PortForward& forward : attachment.forwards) {
    if (forward.target.family() != family) continue;
    auto& of = forward.hostAddress.isUnspecified() ? elements.any : elements.ip;
    of.push_back(nat::elementOf(forward));
    // All of a family lead to one address.
    if (attachment.masqueradeAll) elements.masqueraded = {nat::masqueradedElement(forward)};
  }
  return elements;
}

void appendAdd(nft::Transaction& transaction, Family family, const Elements& elements) {
  transaction.addElements(nat::tableOf(family), nat::kForwardsAny, elements.any);
  transaction.addElements(nat::tableOf(family), nat::kForwardsIp, elements.ip);
  transaction.addElements(nat::tableOf(family), nat::kMasqueraded, elements.masqueraded);
}

netlib::Result<> remove(Host& host, Family family, const Elements& elements) {
  if (!elements.any.empty()) TRY(nat::removeElements(host, family, nat::kForwardsAny, elements.any));
  if (!elements.ip.empty()) TRY(nat::removeElements(host, family, nat::kForwardsIp, elements.ip));
  if (!elements.masqueraded.empty()) {
    TRY(nat::removeElements(host, family, nat::kMasqueraded, elements.masqueraded));
  }
  return {};
}

netlib::Result<> add(Host& host, Family family, const Elements& elements) {
  const auto commit = [&] {
    return nat::commit(host, family, [&](nft::Transaction& transaction) { appendAdd(transaction, family, elements); });
  };
  const auto added = commit();
  if (!added.failedWith(EEXIST)) return added;
  // The ledger says that the ports are ours alone: what the kernel has was left behind by a lost state directory.
  TRY(remove(host, family, elements));
  return commit();
}

/// The addresses that a forward answers at.
netlib::Result<std::vector<netlib::IpAddress>> hostAddressesOf(Host& host, const PortForward& forward) {
  if (!forward.hostAddress.isUnspecified()) return std::vector{forward.hostAddress};
  std::vector<netlib::IpAddress> addresses;
  for (const auto& held : TRY(netlib::address::list(host.route, forward.target.family()))) {
    addresses.push_back(held.prefix.address());
  }
  return addresses;
}

/// A UDP flow that began before the port was published is never translated while it lives (W8). Only flows to addresses
/// of this host are ended: the same port of another host is none of ours.
netlib::Result<> endStaleFlows(Host& host, const std::vector<PortForward>& forwards) {
  std::vector<conntrack::Filter> filters;
  for (const PortForward& forward : forwards) {
    if (forward.protocol != Protocol::Udp) continue;
    for (const auto& address : TRY(hostAddressesOf(host, forward))) {
      filters.push_back({.family = address.family(),
                         .protocol = static_cast<std::uint8_t>(forward.protocol),
                         .originalDestination = address,
                         .originalDestinationPort = forward.hostPort});
    }
  }
  return conntrack::remove(host.netfilter, filters);
}

std::string textOf(const PortForward& forward) {
  return forward.hostAddress.toString() + " port " + std::to_string(forward.hostPort) + "/" +
         std::string{nameOf(forward.protocol)};
}

}  // namespace

std::string PortForwards::name() const { return "published ports"; }

netlib::Result<> PortForwards::apply(Host& host) const {
  auto published = publish(host);
  // A part of it may be there. The error that matters is the first one.
  if (!published) static_cast<void>(undo(host));
  return published;
}

netlib::Result<> PortForwards::publish(Host& host) const {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    const Elements elements = elementsOf(attachment_, family);
    if (!elements.empty()) TRY(add(host, family, elements));
  }
  return endStaleFlows(host, attachment_.forwards);
}

netlib::Result<> PortForwards::undo(Host& host) const {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) TRY(remove(host, family, elementsOf(attachment_, family)));
  return {};
}

netlib::Result<> PortForwards::verify(Host& host) const {
  for (const PortForward& forward : attachment_.forwards) {
    const nft::Element expected = nat::elementOf(forward);
    const auto found =
        TRY(nft::findElement(host.netfilter, nat::tableOf(forward.target.family()), nat::mapOf(forward), expected));
    if (!found) return broken("published " + textOf(forward) + " is missing in nf_tables");
    if (found->data != expected.data) return broken("published " + textOf(forward) + " leads to another target");
  }
  return {};
}

}  // namespace pons
