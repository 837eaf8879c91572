// The targets of ponsctl probe, and what a missing answer of each says.
#include <algorithm>
#include <set>

#include "netlib/rtnl/neighbour.h"

#include "plugin/ctl/format.h"
#include "plugin/ctl/probe_packets.h"
#include "plugin/firewall/bridge_policies.h"

namespace pons::ctl {

namespace link = netlib::link;
using netlib::Family;
using netlib::IpAddress;
using packet::End;
using packet::Target;

namespace {

constexpr Port kDnsPort = 53;

/// Other containers on the bridge whose namespace exists.
std::vector<Attachment> neighboursOf(Host& host, const Attachment& attachment) {
  std::vector<Attachment> neighbours;
  auto keys = host.ledger.attachments();
  if (!keys) return {};
  std::ranges::sort(*keys);
  for (const AttachmentKey& key : *keys) {
    if (key.container == attachment.key.container) continue;
    const auto seen = host.ledger.snapshot(key);
    if (!seen || !*seen || (*seen)->state != RecordState::Committed) continue;
    const Attachment& other = (*seen)->attachment;
    const auto netns = netnsIdAt(other.netnsPath);
    const bool isNeighbour = other.bridge.name == attachment.bridge.name && other.vlans == attachment.vlans;
    if (netns && *netns == other.netns && isNeighbour) neighbours.push_back(other);
  }
  return neighbours;
}

/// "no answer: ARP does not resolve it on pons0", for an address in the container's subnet.
std::string onBridge(const Probing& probing, const Probing::Watched& sent, const IpAddress& address,
                     const std::optional<netlib::MacAddress>& mac) {
  const std::string protocol = address.isIpv4() ? "ARP" : "NDP";
  std::string text = textOf(sent.outcome);
  if (sent.outcome.end == End::NoRoute) {
    text += " in the container";
  } else if (mac) {
    text += ", although " + protocol + " has its MAC address " + mac->toString();
  } else {
    text += ": " + protocol + " does not resolve it on " + probing.attachment.bridge.name.toString();
  }
  return text + sent.drops;
}

std::optional<netlib::MacAddress> macOf(const Probing& probing, const IpAddress& address) {
  const auto mac = netlib::neighbour::macOf(probing.host.container->route, probing.index, address);
  return mac ? *mac : std::nullopt;
}

/// The gateway address belongs to the bridge: an answer with another MAC address is a duplicate of it.
void checkOwner(Probing& probing, const std::optional<netlib::MacAddress>& mac) {
  const auto bridge = link::find(probing.host.route, routedLink(probing.attachment));
  if (!bridge || !mac || mac == bridge->mac) return;
  Probed& last = probing.results.back();
  last.verdict = Verdict::Fault;
  last.result += " by " + mac->toString() + ", which is not " + bridge->name + ": another host has the address";
}

void probeGateway(Probing& probing, const IpAddress& address) {
  const bool isOurs = probing.attachment.bridge.gateway;
  const auto sent = probing.watched(packet::echo, probing.targetAt(address));
  const auto mac = macOf(probing, address);
  if (probing.settle("gateway", address.toString(), sent.outcome, probing.denialOf({address}))) {
    if (isOurs && isAnswered(sent.outcome)) checkOwner(probing, mac);
    return;
  }
  // A gateway that is not this host may ignore echo requests.
  const Verdict verdict = isOurs || !mac ? Verdict::Fault : Verdict::Unproved;
  probing.add("gateway", address.toString(), verdict, onBridge(probing, sent, address, mac));
}

/// Why the ports of both let no frames pass between them; empty where they do.
std::string isolationBetween(const Probing& probing, const Attachment& other) {
  for (const Attachment* each : {&probing.attachment, &other}) {
    const auto isolated = bridges::isPortIsolated(probing.host.ledger, *each);
    if (!isolated.ok() || !*isolated) return {};
  }
  const auto isByKey = [](const Attachment& one) { return one.isolated && one.ingress != IngressPolicy::Isolated; };
  const bool byKey = isByKey(probing.attachment) && isByKey(other);
  return byKey ? "not allowed by portIsolation" : "not allowed by ingressPolicy";
}

/// The first one with an address in the subnet of the lease.
void probeNeighbour(Probing& probing, const Lease& lease, const std::vector<Attachment>& others) {
  for (const Attachment& other : others) {
    const auto found = std::ranges::find_if(
        other.leases, [&](const Lease& its) { return lease.address.contains(its.address.address()); });
    if (found == other.leases.end()) continue;
    const IpAddress& address = found->address.address();
    const std::string target =
        "neighbour " + (other.pod.empty() ? other.key.container.toString().substr(0, kShortId) : other.pod);
    const auto sent = probing.watched(packet::echo, probing.targetAt(address));
    std::string denial = isolationBetween(probing, other);
    if (denial.empty()) denial = probing.denialOf({address});
    if (probing.settle(target, address.toString(), sent.outcome, denial)) return;
    const std::string text = onBridge(probing, sent, address, macOf(probing, address));
    return probing.add(target, address.toString(), Verdict::Fault, text);
  }
}

bool hasRouteTo(const Probing& probing, const IpAddress& address) {
  const auto contains = [&](const Route& route) { return route.destination.contains(address); };
  return probing.isInSubnet(address) || std::ranges::any_of(probing.attachment.routes, contains);
}

bool isMasqueraded(const Attachment& attachment, Family family) {
  return std::ranges::any_of(attachment.sourceNats,
                             [&](const SourceNat& nat) { return nat.family() == family && nat.masquerade; });
}

void probeNextHop(Probing& probing, Family family) {
  const auto add = [&](const std::string& address, Verdict verdict, const std::string& text) {
    probing.add("next hop", address, verdict, text);
  };
  const auto skip = [&](const std::string& why) { add(std::string{netlib::nameOf(family)}, Verdict::Unproved, why); };
  const auto route = defaultRoute(probing.host, family);
  if (!route) return skip("no default route on this host");
  if (route->nextHops.size() != 1 || !route->nextHops.front().gateway)
    return skip("the default route of this host has no next hop, or several");
  const IpAddress& to = *route->nextHops.front().gateway;
  if (to.isLinkLocal()) return skip(to.toString() + " is link-local: no container can reach it");
  if (!probing.attachment.internal && !hasRouteTo(probing, to))
    return skip("the container has no route there on record");

  const auto sent = probing.watched(packet::echo, probing.targetAt(to));
  if (probing.settle("next hop", to.toString(), sent.outcome, probing.denialOf({to}))) return;
  const std::string text = textOf(sent.outcome) + sent.drops;
  if (sent.outcome.end == End::NoRoute) {
    return add(to.toString(), Verdict::Fault, text + " in the container, although there is one on record");
  }
  // A router may ignore echo requests.
  if (!isAnswered(probing.fromHost(packet::echo, {.address = to}))) {
    return add(to.toString(), Verdict::Unproved, text + "; the host gets no answer either");
  }
  const bool isHidden = isMasqueraded(probing.attachment, family);
  add(to.toString(), Verdict::Fault,
      text + "; the host gets an answer" +
          (isHidden ? "" : ". Not masqueraded: it needs a route to the container's subnet"));
}

void probeNameserver(Probing& probing, const IpAddress& server) {
  const Target to = probing.targetAt(server, kDnsPort);
  const auto sent = probing.watched(packet::queryDns, to);
  const std::string denial = probing.denialOf({server, Protocol::Udp, kDnsPort});
  if (probing.settle("nameserver", textOf(server, kDnsPort), sent.outcome, denial)) return;
  std::string text = textOf(sent.outcome);
  if (sent.outcome.end == End::NoRoute) {
    text += " in the container";
  } else if (server.isLoopback()) {
    text += ", at the container's own loopback";
  } else if (sent.outcome.end == End::Refused) {
    text += ": no DNS server listens there";
  } else {
    text += sent.drops;
    if (!to.link) {
      const bool isHostBetter = isAnswered(probing.fromHost(packet::queryDns, to));
      text += isHostBetter ? "; the host gets an answer" : "; the host gets no answer either";
    }
  }
  probing.add("nameserver", textOf(server, kDnsPort), Verdict::Fault, text);
}

}  // namespace

std::vector<Probed> probesOf(Host& host, const Attachment& attachment, const std::vector<IpAddress>& nameservers,
                             std::chrono::milliseconds timeout) {
  const auto inside = link::find(host.container->route, attachment.key.ifName);
  if (!inside) return {{"interface", attachment.key.ifName.toString(), Verdict::Fault, inside.error().message}};
  Probing probing{host, attachment, timeout, inside->index};
  for (const Lease& lease : attachment.leases) {
    if (lease.gateway) probeGateway(probing, *lease.gateway);
  }
  const auto others = neighboursOf(host, attachment);
  for (const Lease& lease : attachment.leases) probeNeighbour(probing, lease, others);
  std::set<Family> families;
  for (const Lease& lease : attachment.leases) families.insert(lease.address.family());
  for (const Family family : families) probeNextHop(probing, family);
  for (const PortForward& forward : attachment.forwards) probePublished(probing, forward);
  for (const IpAddress& server : nameservers) probeNameserver(probing, server);
  return probing.results;
}

}  // namespace pons::ctl
