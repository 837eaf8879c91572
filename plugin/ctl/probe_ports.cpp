// Published ports, for ponsctl probe.
#include "netlib/rtnl/address.h"

#include "plugin/ctl/format.h"
#include "plugin/ctl/listeners.h"
#include "plugin/ctl/probe_packets.h"
#include "plugin/firewall/nat_table.h"

namespace pons::ctl {

namespace nft = netlib::nft;
using netlib::Family;
using netlib::IpAddress;
using packet::Outcome;

namespace {

/// The addresses of this host at which the port is published, as far as this host can try them.
std::vector<IpAddress> addressesOf(Probing& probing, const PortForward& forward) {
  if (!forward.hostAddress.isUnspecified()) return {forward.hostAddress};
  const Family family = forward.hostAddress.family();
  std::vector<IpAddress> addresses;
  if (const auto route = defaultRoute(probing.host, family); route && !route->nextHops.empty()) {
    const auto own = netlib::address::list(probing.host.route, family, route->nextHops.front().linkIndex);
    for (std::size_t i = 0; own && i < own->size() && addresses.empty(); ++i) {
      const IpAddress& address = (*own)[i].prefix.address();
      if (!address.isLinkLocal()) addresses.push_back(address);
    }
  }
  for (const netlib::IpPrefix& prefix : gatewayAddresses(probing.attachment)) {
    if (addresses.empty() && prefix.family() == family) addresses.push_back(prefix.address());
  }
  if (family == Family::Ipv4 && probing.attachment.loopbackPorts) addresses.push_back(*IpAddress::parse("127.0.0.1"));
  return addresses;
}

bool isForwarded(Host& host, const PortForward& forward) {
  const nft::Element wanted = nat::elementOf(forward);
  const auto found =
      nft::findElement(host.netfilter, nat::tableOf(forward.target.family()), nat::mapOf(forward), wanted);
  return found && *found && (*found)->data == wanted.data;
}

/// Why nothing in the container would accept a connection: empty where a program listens, or where that is not known.
std::string absenceOf(const std::vector<Listener>& listeners, const PortForward& forward) {
  std::string elsewhere;
  for (const Listener& one : listeners) {
    if (one.port != forward.targetPort) continue;
    const bool isAny = one.address.isUnspecified() && one.address.family() == forward.target.family();
    if (isAny || one.isDualStack || one.address == forward.target) return {};
    elsewhere += (elsewhere.empty() ? "" : ", ") + textOf(one.address, one.port);
  }
  return "nothing listens in the container at " + textOf(forward.target, forward.targetPort) +
         (elsewhere.empty() ? "" : ", only at " + elsewhere);
}

/// Where a connection to the published port ends, by what listens in the container, and by one from the host to it.
std::string behind(const Probing& probing, const PortForward& forward) {
  const auto listeners = probing.host.container->netns.inside([] { return listenersOf(Protocol::Tcp); });
  const std::string absence = listeners ? absenceOf(*listeners, forward) : "";
  if (!absence.empty()) return absence;
  const std::string program = textOf(forward.target, forward.targetPort);
  if (isAnswered(probing.fromHost(packet::connectTcp, {.address = forward.target, .port = forward.targetPort}))) {
    return "the host reaches " + program + " in the container, so the packets end on this host";
  }
  if (!listeners) return "from the host to " + program + " likewise; " + listeners.error().message;
  return "a program listens in the container at " + program + ": dropped between host and container";
}

}  // namespace

void probePublished(Probing& probing, const PortForward& forward) {
  const std::string target =
      "published " + std::string{pons::nameOf(forward.protocol)} + " " + std::to_string(forward.hostPort);
  const auto owner = probing.host.ledger.portOwner(forward);
  const bool isOther = owner && *owner && (*owner)->key != probing.attachment.key;
  if (isOther || forward.protocol != Protocol::Tcp) {
    return probing.add(target, textOf(forward.hostAddress, forward.hostPort), Verdict::Unproved,
                       isOther ? "leads to network " + (*owner)->key.network.toString()
                               : "not probed: only an answer of its program would prove it");
  }
  const auto addresses = addressesOf(probing, forward);
  if (addresses.empty()) {
    probing.add(target, textOf(forward.hostAddress, forward.hostPort), Verdict::Unproved, "this host has no address");
  }
  const bool forwarded = isForwarded(probing.host, forward);
  for (const IpAddress& address : addresses) {
    const Outcome outcome = probing.fromHost(packet::connectTcp, {.address = address, .port = forward.hostPort});
    const std::string text = textOf(address, forward.hostPort);
    if (!forwarded) {
      probing.add(target, text, Verdict::Fault,
                  textOf(outcome) + (isAnswered(outcome) ? " by a program of the host" : "") +
                      ": the rule that forwards the port is missing, see ponsctl check");
    } else if (!probing.settle(target, text, outcome)) {
      probing.add(target, text, Verdict::Fault, textOf(outcome) + ": " + behind(probing, forward));
    }
  }
}

}  // namespace pons::ctl
