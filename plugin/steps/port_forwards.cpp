#include "plugin/steps/port_forwards.h"

#include "plugin/nat_transaction.h"

namespace pons {

namespace nft = netlib::nft;
using netlib::Family;

namespace {

netlib::Result<> add(Host& host, Family family, const nat::Elements& elements) {
  const auto commit = [&] {
    return nat::commit(host, family, [&](nft::Transaction& transaction) {
      for (const auto& [set, some] : elements) transaction.addElements(nat::tableOf(family), set, some);
    });
  };
  const auto added = commit();
  if (!added.failedWith(EEXIST)) return added;
  // The ledger says that the ports are ours alone: what the kernel has was left behind by a lost state directory.
  TRY(nat::removeElements(host, family, elements));
  return commit();
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
    const nat::Elements elements = nat::elementsOf(attachment_, family);
    if (!elements.empty()) TRY(add(host, family, elements));
  }
  return {};
}

netlib::Result<> PortForwards::undo(Host& host) const {
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    TRY(nat::removeElements(host, family, nat::elementsOf(attachment_, family)));
  }
  return {};
}

netlib::Result<> PortForwards::verify(Host& host) const {
  for (const PortForward& forward : attachment_.forwards) {
    const nft::Element expected = nat::elementOf(forward);
    const auto found =
        TRY(nft::findElement(host.netfilter, nat::tableOf(forward.target.family()), nat::mapOf(forward), expected));
    if (!found) return broken("published " + textOf(forward) + " is missing in nf_tables");
    if (found->data != expected.data) return broken("published " + textOf(forward) + " leads to another target");
    if (forward.protocol != Protocol::Udp) continue;
    const auto fresh = TRY(nft::findElement(host.netfilter, nat::tableOf(forward.target.family()),
                                            nat::udpSetOf(forward), nat::udpElementOf(forward)));
    if (!fresh)
      return broken("published " + textOf(forward) + " is missing in the nf_tables set " + nat::udpSetOf(forward));
  }
  return {};
}

}  // namespace pons
