// What containers have, compared with the host: addresses, MTUs, nameservers.
#include <algorithm>

#include "netlib/rtnl/address.h"

#include "plugin/ctl/doctor_checks.h"
#include "plugin/ctl/format.h"
#include "plugin/engine/inspection.h"

namespace pons::ctl {

using netlib::Family;
using netlib::IpAddress;
namespace link = netlib::link;

namespace {

constexpr std::uint32_t kDefaultMtu = 1500;  // ETH_DATA_LEN: that of a new veth

std::vector<const Attachment*> attachmentsOf(const Statuses& statuses, ChainedPlugin plugin) {
  std::vector<const Attachment*> attachments;
  for (const AttachmentStatus& status : statuses) {
    if (status.attachment && status.key.plugin == plugin) attachments.push_back(&*status.attachment);
  }
  return attachments;
}

// Addresses

std::string nameAt(netlib::Socket& route, unsigned index) {
  const auto found = link::find(route, index);
  return found ? found->name : "link " + std::to_string(index);
}

/// The host delivers to itself what is sent to an address that it has.
netlib::Result<> checkAddresses(Area& area, netlib::Socket& route, const std::vector<const Attachment*>& attachments) {
  std::map<IpAddress, netlib::address::InterfaceAddress> ofHost;
  for (const Family family : {Family::Ipv4, Family::Ipv6}) {
    for (const auto& one : TRY(netlib::address::list(route, family))) ofHost.emplace(one.prefix.address(), one);
  }
  const std::size_t before = area.found();
  for (const Attachment* attachment : attachments) {
    for (const Lease& lease : attachment->leases) {
      const auto same = ofHost.find(lease.address.address());
      if (same == ofHost.end()) continue;
      const std::string name = nameAt(route, same->second.index);
      area.fault(FindingId::AddressOnHost,
                 "address " + same->first.toString() + " of " + containerText(*attachment) +
                     " is also one of the host, on " + name + ": the host does not reach the container",
                 "ip address del " + same->second.prefix.toString() + " dev " + name +
                     "; or exclude it from the network's ranges and restart the container");
    }
  }
  if (area.found() == before) {
    area.fine("addresses of " + counted(attachments.size(), "container interface") + ": the host has none of them");
  }
  return {};
}

// MTUs

/// Containers with the same finding.
using Affected = std::map<std::pair<std::uint32_t, std::uint32_t>, std::set<std::string>>;

struct Mtus {
  std::map<std::uint32_t, std::set<std::string>> containers = {};  ///< that send packets of that size to other hosts
  std::set<NetworkName> networks = {};                             ///< of these containers
  std::map<std::string, Affected> aboveBridge = {};  ///< by bridge: its MTU, and of the host's end of the veth
  Affected unequal = {};                             ///< MTU inside, and of the host's end
  std::set<std::string> unseen = {};                 ///< namespaces that could not be entered
};

/// With the "mtu" of its default routes, if all have one, the container sends no larger packets to other hosts.
std::uint32_t mtuToOthers(const Attachment& attachment, std::uint32_t mtu) {
  std::uint32_t largest = 0;
  for (const Route& route : attachment.routes) {
    if (route.destination.length() == 0) largest = std::max(largest, route.mtu == 0 ? mtu : route.mtu);
  }
  return largest == 0 ? mtu : std::min(largest, mtu);
}

/// The host sends what it forwards to a container by the link that has the gateway addresses.
void compareWithBridge(Mtus& mtus, Host& host, const Attachment& attachment, std::uint32_t mtu) {
  if (gatewayAddresses(attachment).empty()) return;
  const auto bridge = link::find(host.route, routedLink(attachment));
  if (bridge && bridge->mtu < mtu) mtus.aboveBridge[bridge->name][{bridge->mtu, mtu}].insert(containerText(attachment));
}

Mtus mtusOf(Host& host, const std::vector<const Attachment*>& attachments) {
  Mtus mtus;
  for (const Attachment* attachment : attachments) {
    const auto outside = link::find(host.route, attachment->hostVeth);
    if (!outside) continue;  // a fault of the attachment
    const std::string container = containerText(*attachment);
    compareWithBridge(mtus, host, *attachment, outside->mtu);
    if (!attachment->internal) {
      mtus.containers[mtuToOthers(*attachment, outside->mtu)].insert(container);
      mtus.networks.insert(attachment->key.network);
    }
    const auto entered = enterContainer(host, *attachment);
    const auto inside =
        entered ? link::find(host.container->route, attachment->key.ifName) : netlib::fail(entered.error());
    if (!inside) {
      mtus.unseen.insert(container);
    } else if (inside->mtu != outside->mtu) {
      mtus.unequal[{inside->mtu, outside->mtu}].insert(container);
    }
  }
  return mtus;
}

constexpr const char* kFragmented = ": larger packets are fragmented, or depend on ICMP \"packet too big\"";

/// A veth drops frames larger than the MTU of its other end (is_skb_forwardable()). TCP announces the MTU of its own
/// end (MSS), so a smaller one inside is a problem for UDP alone.
void checkBothEnds(Area& area, const Mtus& mtus) {
  for (const auto& [pair, containers] : mtus.unequal) {
    const auto& [inside, outside] = pair;
    area.add(FindingId::MtuDiffers, inside > outside ? Severity::Fault : Severity::Warning,
             "MTU " + std::to_string(inside) + " inside and " + std::to_string(outside) +
                 " at the host's end of the veth of " + someOf(containers) + ": larger packets are dropped",
             "restart the container; where plugin tuning sets the MTU, use \"mtu\" of the network instead");
  }
  if (mtus.unseen.empty()) return;
  area.notChecked("MTU inside " + someOf(mtus.unseen), "its network namespace cannot be entered");
}

void checkBridges(Area& area, const Mtus& mtus) {
  for (const auto& [bridge, affected] : mtus.aboveBridge) {
    for (const auto& [pair, containers] : affected) {
      const auto& [own, veth] = pair;
      area.warning(FindingId::MtuDiffers,
                   "MTU " + std::to_string(own) + " of bridge " + bridge + " is smaller than " + std::to_string(veth) +
                       " of " + someOf(containers) + kFragmented,
                   "ip link set " + bridge + " mtu " + std::to_string(veth));
    }
  }
}

constexpr const char* kMtuRemedy =
    "\"mtu\": \"auto\" in the configuration of the network, then restart its containers; or enlarge the uplink's MTU";

void checkUplinks(Area& area, const Mtus& mtus, const ConfiguredNetworks& networks, const Links& uplinks) {
  for (const link::Link& uplink : uplinks) {
    const std::string start = "MTU " + std::to_string(uplink.mtu) + " of uplink " + uplink.name + " is smaller than ";
    for (const auto& [mtu, containers] : mtus.containers) {
      if (mtu <= uplink.mtu) continue;
      area.warning(FindingId::MtuAboveUplink, start + std::to_string(mtu) + " of " + someOf(containers) + kFragmented,
                   kMtuRemedy);
    }
    for (const ConfiguredNetwork& network : networks) {
      const auto name = NetworkName::parse(network.name);
      const bool isInUse = name && mtus.networks.contains(*name);
      const std::uint32_t mtu = network.config.mtu.bytes == 0 ? kDefaultMtu : network.config.mtu.bytes;
      if (isInUse || network.config.internal || network.config.mtu.automatic || mtu <= uplink.mtu) continue;
      area.warning(FindingId::MtuAboveUplink, start + std::to_string(mtu) + " of network " + network.name + kFragmented,
                   kMtuRemedy);
    }
  }
}

void checkMtus(Area& area, Host* host, const std::vector<const Attachment*>& attachments,
               const ConfiguredNetworks& networks, const Links& uplinks) {
  const std::size_t before = area.found();
  const Mtus mtus = host == nullptr ? Mtus{} : mtusOf(*host, attachments);
  checkBothEnds(area, mtus);
  checkBridges(area, mtus);
  if (uplinks.empty()) area.notChecked("MTU of uplinks", "this host has no default route");
  checkUplinks(area, mtus, networks, uplinks);
  if (area.found() > before) return;
  std::vector<std::string> outer;
  for (const link::Link& uplink : uplinks) outer.push_back(uplink.name + " (" + std::to_string(uplink.mtu) + ")");
  const std::string fits = outer.empty() ? "" : "not larger than that of uplink " + joined(outer);
  if (const std::size_t seen = attachments.size() - mtus.unseen.size(); seen > 0) {
    area.fine("MTU of " + counted(seen, "container interface") + ": the same at both ends of the veth" +
              (fits.empty() ? "" : ", and " + fits));
  } else if (!networks.empty() && !fits.empty()) {
    area.fine("MTU of " + counted(networks.size(), "network") + ": " + fits);
  }
}

// Nameservers

void addLoopback(std::map<std::string, std::set<std::string>>& found, const std::vector<IpAddress>& nameservers,
                 const std::string& receiver) {
  for (const IpAddress& nameserver : nameservers) {
    if (nameserver.isLoopback()) found[nameserver.toString()].insert(receiver);
  }
}

/// The loopback interface of a container is its own.
void checkNameservers(Area& area, const Statuses& statuses, const ConfiguredNetworks& networks) {
  std::map<std::string, std::set<std::string>> found;
  std::size_t files = 0;
  for (const ConfiguredNetwork& network : networks) {
    addLoopback(found, network.config.dns.nameservers, "network " + network.name);
  }
  for (const AttachmentStatus& status : statuses) {
    if (!status.attachment || !status.attachment->resolvConf) continue;
    ++files;
    addLoopback(found, cni::parseResolvConf(status.attachment->resolvConf->content).nameservers,
                containerText(*status.attachment));
  }
  for (const auto& [nameserver, receivers] : found) {
    area.warning(FindingId::NameserverLoopback,
                 "nameserver " + nameserver + " is given to " + someOf(receivers) +
                     ": inside a container that is the container itself",
                 "name servers that containers reach in \"dns\", or a file with such ones in \"ipam.resolvConf\" "
                 "(of systemd-resolved: /run/systemd/resolve/resolv.conf); restart the containers");
  }
  if (!found.empty()) return;
  if (networks.empty() && files == 0) {
    return area.notChecked("nameservers of containers", "no network is configured, and no resolv.conf written");
  }
  area.fine("nameservers of " + counted(networks.size(), "configuration") + " and " + counted(files, "resolv.conf") +
            " written: none is a loopback address");
}

}  // namespace

void checkContainers(CheckResults& results, Host* host, const Statuses& statuses, const ConfiguredNetworks& networks,
                     const Links& uplinks) {
  Area area{results, "containers"};
  const auto attachments = attachmentsOf(statuses, ChainedPlugin::None);
  if (host == nullptr || attachments.empty()) {
    area.notChecked("addresses and MTUs of containers", "no attachment to a network is recorded");
  } else if (const auto checked = checkAddresses(area, host->route, attachments); !checked) {
    area.notChecked("addresses of the host", checked.error().message);
  }
  checkMtus(area, host, attachments, networks, uplinks);
  checkNameservers(area, statuses, networks);
}

}  // namespace pons::ctl
