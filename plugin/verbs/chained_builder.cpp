#include "plugin/verbs/chained_builder.h"

#include <algorithm>

#include "netlib/rtnl/route.h"

#include "plugin/steps/steps.h"
#include "plugin/verbs/forwards.h"

namespace pons {

using netlib::Family;

namespace {

bool isContainerInterface(const cni::Interface& interface, const AttachmentKey& key) {
  return interface.name == key.ifName.toString() && !interface.sandbox.empty();
}

/// The addresses of the container's interface, and those without an interface: results before 0.3.0 have no interfaces.
std::vector<netlib::IpPrefix> addressesIn(const cni::AddResult& result, const AttachmentKey& key) {
  std::vector<netlib::IpPrefix> addresses;
  for (const cni::Address& address : result.addresses) {
    if (address.interface && !isContainerInterface(result.interfaces.at(*address.interface), key)) continue;
    addresses.push_back(address.address);
  }
  return addresses;
}

/// The link (bridge or other) through which the host routes to the first reachable address; sets host.bridge.
netlib::Result<std::optional<netlib::IfName>> linkTowards(Host& host, const std::vector<netlib::IpPrefix>& addresses) {
  for (const netlib::IpPrefix& address : addresses) {
    const unsigned index = TRY(netlib::route::linkTowards(host.route, address.address()));
    if (index == 0 || index == netlib::link::kLoopbackIndex) continue;
    host.bridge = TRY(netlib::link::find(host.route, index));
    return netlib::IfName::parse(host.bridge.name);
  }
  return std::optional<netlib::IfName>{};
}

/// Source NAT with which a container reaches its own published port, and with which replies to 127.0.0.1 return.
std::vector<SourceNat> hairpinNats(const std::vector<PortForward>& forwards,
                                   const std::vector<netlib::IpPrefix>& addresses) {
  std::vector<SourceNat> nats;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    if (std::ranges::find(forwards, family, [](const PortForward& f) { return f.target.family(); }) == forwards.end()) {
      continue;
    }
    SourceNat nat{.subnets = {}, .masquerade = false, .destinations = {}};
    for (const netlib::IpPrefix& address : addresses) {
      if (address.family() == family) nat.subnets.push_back(address.network());
    }
    nats.push_back(std::move(nat));
  }
  return nats;
}

/// The peer of the container's interface, from the previous result.
netlib::Result<netlib::IfName> hostVethOf(Host& host, const cni::Request& request) {
  const unsigned inside = TRY(netlib::link::find(host.container->route, request.key.ifName)).index;
  for (const cni::Interface& interface : request.previous->interfaces) {
    const auto name = netlib::IfName::parse(interface.name);
    if (!interface.sandbox.empty() || !name) continue;
    const auto link = netlib::link::find(host.route, *name);
    if (link && link->kind == "veth" && link->peer == inside) return *name;
  }
  return netlib::fail(netlib::Cause::Invalid, "prevResult has no host veth whose peer is " +
                                                  request.key.ifName.toString() + ": bandwidth limits require a veth");
}

/// The gateway's link in a VLAN, "<bridge>.<vid>", which the reference plugin makes as a veth and keeps for ever.
bool isVlanLink(const cni::Interface& interface, const cni::AddResult& result) {
  const std::string bridge = interface.name.substr(0, interface.name.rfind('.'));
  return bridge != interface.name &&
         std::ranges::find(result.interfaces, bridge, &cni::Interface::name) != result.interfaces.end();
}

std::vector<netlib::IfName> hostLinksIn(const cni::AddResult& result) {
  std::vector<netlib::IfName> links;
  for (const cni::Interface& interface : result.interfaces) {
    const auto name = netlib::IfName::parse(interface.name);
    if (interface.sandbox.empty() && name && !isVlanLink(interface, result)) links.push_back(*name);
  }
  return links;
}

/// The spoof guard of the network would drop all frames with another MAC.
netlib::Result<> refuseGuardedMac(Host& host, const cni::Request& request) {
  if (!request.config.tuning || !request.config.tuning->mac) return {};
  AttachmentKey network = request.key;
  network.plugin = ChainedPlugin::None;
  const auto found = host.ledger.snapshot(network);
  if (!found) {
    return netlib::fail(
        found.error().reworded("\"mac\": the record of " + network.toString() +
                               ", which has the spoof guard, cannot be read: " + found.error().message));
  }
  const std::optional<RecordSnapshot>& record = *found;
  if (!record || record->attachment.guard == SpoofGuard::None) return {};
  return netlib::fail(netlib::Cause::Invalid, "\"mac\": the spoof guard of network " + network.network.toString() +
                                                  " accepts only source MAC " +
                                                  record->attachment.containerMac.toString() +
                                                  ": set the address by the capability \"mac\" instead, or set "
                                                  "\"macspoofchk\" to false");
}

}  // namespace

bool hasWork(const cni::Request& request) {
  const cni::Config& config = request.config;
  return config.acceptForward || config.bandwidth || !config.portMappings.empty() ||
         (config.tuning && *config.tuning != Tuning{});
}

netlib::Result<Attachment> chainedAttachmentFor(const cni::Request& request, NetnsId netns, Host& host) {
  const cni::Config& config = request.config;
  TRY(refuseGuardedMac(host, request));
  const auto addresses = addressesIn(*request.previous, request.key);
  const auto bridge = TRY(linkTowards(host, addresses));

  Attachment attachment = bareAttachment(request.key, config.bridge.name);
  static_cast<AttachmentSettings&>(attachment) = config;
  if (bridge) {
    attachment.bridge.name = *bridge;
  } else {  // without a route to the container, none of its traffic passes the forward chains of the host
    attachment.acceptForward = attachment.loopbackPorts = false;
    attachment.ingress = IngressPolicy::Open;
  }
  attachment.netnsPath = request.netnsPath;
  attachment.netns = netns;
  attachment.hostLinks = hostLinksIn(*request.previous);
  attachment.forwards = forwardsFor(config.portMappings, addresses);
  if (config.loopbackPorts) attachment.sourceNats = hairpinNats(attachment.forwards, addresses);
  if (config.bandwidth) attachment.hostVeth = TRY(hostVethOf(host, request));
  if (config.tuning) attachment.savedTuning = TRY(currentTuning(*host.container, request.key.ifName, *config.tuning));
  return attachment;
}

cni::AddResult describeChained(const cni::Request& request) {
  cni::AddResult result = *request.previous;
  if (!request.config.tuning) return result;
  for (cni::Interface& interface : result.interfaces) {
    if (!isContainerInterface(interface, request.key)) continue;
    if (request.config.tuning->mac) interface.mac = request.config.tuning->mac->toString();
    if (request.config.tuning->mtu) interface.mtu = *request.config.tuning->mtu;
  }
  return result;
}

}  // namespace pons
