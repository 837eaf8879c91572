#include "plugin/verbs/attachment_builder.h"

#include <algorithm>

#include "netlib/base/hash.h"
#include "netlib/rtnl/route.h"

#include "plugin/verbs/forwards.h"

namespace pons {

using netlib::Family;
using netlib::IpAddress;
using netlib::IpPrefix;
using netlib::MacAddress;

namespace {

constexpr std::uint32_t kEthernetMtu = 1500;  // the default MTU of a veth

/// A locally administered unicast address with these five bytes.
MacAddress localMac(std::uint8_t first, std::uint64_t rest) {
  MacAddress::Bytes bytes{first};
  for (std::size_t i = bytes.size() - 1; i > 0; --i, rest >>= 8) bytes.at(i) = static_cast<std::uint8_t>(rest);
  return MacAddress{bytes};
}

/// Derived from the address, so that neighbour (ARP/NDP) entries stay valid when the address is leased again.
MacAddress macFor(const AttachmentKey& key, const std::vector<Lease>& leases) {
  constexpr std::uint8_t kFromIpv4 = 0x0a;
  constexpr std::uint64_t kIpv4Tag = std::uint64_t{0x58} << 32;  // 0a:58, as in other CNI plugins
  constexpr std::uint8_t kFromHash = 0x06;
  const auto ipv4 = std::ranges::find(leases, Family::Ipv4, [](const Lease& l) { return l.address.family(); });
  if (ipv4 != leases.end()) {
    return localMac(kFromIpv4, kIpv4Tag | static_cast<std::uint64_t>(ipv4->address.address().number()));
  }
  return localMac(kFromHash, netlib::hashOf(leases.empty() ? key.toString() : leases.front().address.toString()));
}

void appendOnce(std::vector<IpPrefix>& to, const IpPrefix& prefix) {
  if (std::ranges::find(to, prefix) == to.end()) to.push_back(prefix);
}

/// Those of the configuration, and of the leases: a delegated IPAM plugin returns addresses of other subnets.
std::vector<IpPrefix> subnetsOf(const cni::Config& config, const std::vector<Lease>& leases, Family family) {
  std::vector<IpPrefix> subnets;
  for (const IpPrefix& subnet : pons::subnetsOf(config)) {
    if (subnet.family() == family) appendOnce(subnets, subnet);
  }
  for (const Lease& lease : leases) {
    if (lease.address.family() == family) appendOnce(subnets, lease.address.network());
  }
  return subnets;
}

std::vector<IpPrefix> excludedOf(const cni::Config& config, Family family) {
  std::vector<IpPrefix> excluded;
  for (const IpPrefix& prefix : config.masqueradeExcluded) {
    if (prefix.family() == family) appendOnce(excluded, prefix.network());
  }
  return excluded;
}

bool isDefault(const Route& route, Family family) {
  return route.destination.family() == family && route.destination.length() == 0;
}

bool hasFamily(const std::vector<Lease>& leases, Family family) {
  return std::ranges::find(leases, family, [](const Lease& l) { return l.address.family(); }) != leases.end();
}

/// Runtimes send "::/0" also to IPv4-only networks; the kernel would reject it.
std::vector<Route> usableRoutes(const std::vector<Route>& configured, const std::vector<Lease>& leases) {
  std::vector<Route> routes;
  std::ranges::copy_if(configured, std::back_inserter(routes),
                       [&](const Route& route) { return hasFamily(leases, route.destination.family()); });
  return routes;
}

std::vector<Route> routesFor(const cni::Config& config, const std::vector<Lease>& leases) {
  std::vector<Route> routes = usableRoutes(config.routes, leases);
  if (!config.isDefaultGateway) return routes;
  for (const Lease& lease : leases) {
    const Family family = lease.address.family();
    const bool hasDefault =
        std::ranges::any_of(routes, [family](const Route& route) { return isDefault(route, family); });
    if (hasDefault || !lease.gateway) continue;
    routes.push_back({.destination = *IpPrefix::of(IpAddress::unspecified(family), 0), .gateway = lease.gateway});
  }
  return routes;
}

/// The default gateway is the first address of the subnet, as in the reference plugins.
netlib::Result<> setDefaultGateways(std::vector<Lease>& leases) {
  for (Lease& lease : leases) {
    const bool isHost = lease.address.length() == netlib::bitsOf(lease.address.family());
    if (lease.gateway || isHost) continue;
    lease.gateway = IpAddress::fromNumber(lease.address.family(), lease.address.first().number() + 1);
    if (*lease.gateway != lease.address.address()) continue;
    return netlib::fail(netlib::Cause::Invalid,
                        "container address " + lease.address.toString() +
                            " is the default gateway, the first address of its subnet: set \"gateway\"");
  }
  return {};
}

std::vector<IpPrefix> addressesOf(const std::vector<Lease>& leases) {
  std::vector<IpPrefix> addresses;
  for (const Lease& lease : leases) addresses.push_back(lease.address);
  return addresses;
}

std::vector<SourceNat> sourceNatsFor(const cni::Config& config, const std::vector<Lease>& leases,
                                     const std::vector<PortForward>& forwards) {
  std::vector<SourceNat> nats;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    std::vector<IpPrefix> subnets = subnetsOf(config, leases, family);
    if (subnets.empty()) continue;
    const bool masquerade = std::ranges::find(config.masquerade, family) != config.masquerade.end();
    const bool published =
        std::ranges::any_of(forwards, [family](const PortForward& f) { return f.target.family() == family; });
    if (!masquerade && !published) continue;
    nats.push_back({std::move(subnets), masquerade, masquerade ? excludedOf(config, family) : std::vector<IpPrefix>{}});
  }
  return nats;
}

}  // namespace

netlib::Result<std::uint32_t> mtuFor(const cni::Config& config, Host& host) {
  if (!config.mtu.automatic) return config.mtu.bytes;
  std::uint32_t smallest = 0;
  for (const unsigned index : TRY(netlib::route::defaultLinks(host.route))) {
    const std::uint32_t mtu = TRY(netlib::link::find(host.route, index)).mtu;
    if (smallest == 0 || mtu < smallest) smallest = mtu;
  }
  if (smallest != 0 && smallest < cni::kMinMtuIpv6 &&
      !subnetsOf(config, config.addresses.fixed, Family::Ipv6).empty()) {
    return netlib::fail(netlib::Cause::Invalid, "\"mtu\": \"auto\" resolves to " + std::to_string(smallest) +
                                                    ", the MTU of a default route's link, but IPv6 requires at least " +
                                                    std::to_string(cni::kMinMtuIpv6));
  }
  return smallest;  // 0, the default of the kernel, on a host without a default route
}

netlib::Result<Attachment> attachmentFor(const cni::Request& request, NetnsId netns, std::uint32_t mtu,
                                         std::vector<Lease> leases) {
  const cni::Config& config = request.config;
  if (config.bridge.gateway) TRY(setDefaultGateways(leases));
  constexpr std::uint8_t kHostVethPrefix = 0x02;
  Attachment attachment = bareAttachment(request.key, config.bridge.name);
  static_cast<AttachmentSettings&>(attachment) = config;
  attachment.hostMac = localMac(kHostVethPrefix, netlib::hashOf(request.key.toString()));
  attachment.containerMac = config.mac.value_or(macFor(request.key, leases));
  attachment.mtu = mtu;
  attachment.netnsPath = request.netnsPath;
  attachment.netns = netns;
  attachment.leases = std::move(leases);
  attachment.pool = spansOf(config.addresses.sets);
  attachment.hostLocalDir = config.addresses.hostLocalDir;
  if (config.rootfs && !config.dns.empty()) {
    attachment.resolvConf = ResolvConf{*config.rootfs, cni::printResolvConf(config.dns)};
  }
  attachment.routes = routesFor(config, attachment.leases);
  attachment.forwards = forwardsFor(config.portMappings, addressesOf(attachment.leases));
  attachment.sourceNats = sourceNatsFor(config, attachment.leases, attachment.forwards);
  return attachment;
}

std::vector<std::string> omissionsIn(const Attachment& attachment, const cni::Config& config) {
  std::vector<std::string> notes = unpublishedIn(config.portMappings, attachment.forwards);
  if (attachment.key.plugin != ChainedPlugin::None) return notes;
  for (const Route& route : config.routes) {
    const Family family = route.destination.family();
    if (hasFamily(attachment.leases, family)) continue;
    notes.push_back("route to " + route.destination.toString() + " is skipped: the container has no " +
                    std::string{nameOf(family)} + " address");
  }
  return notes;
}

std::vector<IpPrefix> subnetsOf(const cni::Config& config) {
  std::vector<IpPrefix> subnets;
  for (const RangeSet& set : config.addresses.sets) {
    for (const Range& range : set) appendOnce(subnets, range.subnet.network());
  }
  for (const Lease& lease : config.addresses.fixed) appendOnce(subnets, lease.address.network());
  return subnets;
}

void completeFromConfig(Record& record, const cni::Config& config) {
  if (!record.salvaged) return;
  record.attachment.hostLocalDir = config.addresses.hostLocalDir;
  record.attachment.delegated = config.delegated;
}

cni::AddResult describe(const cni::Request& request, const Attachment& attachment, const Host& host) {
  const std::uint32_t mtu = attachment.mtu != 0 ? attachment.mtu : kEthernetMtu;
  const auto interface = [](const netlib::IfName& name, const std::string& mac, std::uint32_t bytes) {
    cni::Interface made;
    made.name = name.toString();
    made.mac = mac;
    made.mtu = bytes;
    return made;
  };
  const std::string bridgeMac = host.bridge.mac ? host.bridge.mac->toString() : "";

  cni::AddResult own;
  own.interfaces = {interface(attachment.bridge.name, bridgeMac, host.bridge.mtu),
                    interface(attachment.hostVeth, attachment.hostMac.toString(), mtu),
                    interface(attachment.key.ifName, attachment.containerMac.toString(), mtu)};
  own.interfaces.back().sandbox = attachment.netnsPath;
  const auto container = static_cast<std::uint32_t>(own.interfaces.size() - 1);
  if (gatewayVlan(attachment)) {  // last, as the reference plugin has it
    const std::string mac = host.vlanLink.mac ? host.vlanLink.mac->toString() : "";
    own.interfaces.push_back(interface(routedLink(attachment), mac, host.vlanLink.mtu));
  }
  for (const Lease& lease : attachment.leases) own.addresses.push_back({container, lease.address, lease.gateway});
  own.routes = attachment.routes;
  own.dns = request.config.dns;
  return cni::merge(request.previous.value_or(cni::AddResult{}), std::move(own));
}

}  // namespace pons
