#include <algorithm>

#include <linux/rtnetlink.h>

#include "netlib/os/sysctl.h"
#include "netlib/rtnl/address.h"
#include "netlib/rtnl/route.h"

#include "plugin/context/optional_sysctls.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace address = netlib::address;
namespace link = netlib::link;
namespace route = netlib::route;
namespace sysctl = netlib::sysctl;
using netlib::Family;

namespace {

bool hasIpv6(const Attachment& attachment) {
  return std::ranges::any_of(attachment.leases, [](const Lease& l) { return l.address.family() == Family::Ipv6; });
}

/// Runtimes create namespaces with disable_ipv6 = 1. accept_dad: without duplicate address detection the link-local
/// address must be usable at once as well; the others have IFA_F_NODAD.
netlib::Result<> switchOnIpv6(Host& host, const Attachment& attachment) {
  const auto name = [&](std::string_view key) { return sysctl::ofInterface(Family::Ipv6, attachment.key.ifName, key); };
  TRY(sysctl::write(name("disable_ipv6"), "0"));
  return setWherePossible(host, {{name("ndisc_notify"), "1"},       // see neighboursAnnounced()
                                 {name("keep_addr_on_down"), "1"},  // as the reference plugins since 1.7
                                 {name("accept_dad"), attachment.detectDuplicateAddresses ? "1" : "0"}});
}

/// CNI: a route without a gateway uses the gateway of the address of its family; one of link scope needs none.
std::optional<netlib::IpAddress> gatewayOf(const Attachment& attachment, const Route& wanted) {
  if (wanted.gateway || wanted.scope == RT_SCOPE_LINK) return wanted.gateway;
  for (const Lease& lease : attachment.leases) {
    if (lease.address.family() == wanted.destination.family() && lease.gateway) return lease.gateway;
  }
  return std::nullopt;
}

/// A router in the LAN may have an address outside of the containers' subnet.
bool isOnLink(const Attachment& attachment, const std::optional<netlib::IpAddress>& gateway) {
  const bool isLeases =
      gateway && std::ranges::find(attachment.leases, gateway, &Lease::gateway) != attachment.leases.end();
  return isLeases && !gateway->isLinkLocal() &&
         std::ranges::none_of(attachment.leases, [&](const Lease& l) { return l.address.contains(*gateway); });
}

route::Route routeOf(const Attachment& attachment, const Route& wanted, unsigned index) {
  const auto gateway = gatewayOf(attachment, wanted);
  return {.destination = wanted.destination,
          .nextHops = {{.gateway = gateway, .linkIndex = index, .onLink = isOnLink(attachment, gateway)}},
          .table = wanted.table.value_or(route::kMainTable),
          .metric = wanted.priority,
          .scope = wanted.scope,
          .mtu = wanted.mtu,
          .advmss = wanted.advmss};
}

/// Those with one destination, table and priority are one route with several next hops (ECMP). The kernel would do the
/// same to separate IPv6 routes, but of separate IPv4 ones it uses a single one.
std::vector<route::Route> routesOf(const Attachment& attachment, unsigned index) {
  std::vector<route::Route> routes;
  for (const Route& wanted : attachment.routes) {
    route::Route one = routeOf(attachment, wanted, index);
    const auto same = std::ranges::find_if(routes, [&](const route::Route& other) {
      return other.destination == one.destination && other.table == one.table && other.metric == one.metric;
    });
    if (same == routes.end()) {
      routes.push_back(std::move(one));
    } else if (std::ranges::find(same->nextHops, one.nextHops.front()) == same->nextHops.end()) {
      same->nextHops.push_back(one.nextHops.front());
    }
  }
  return routes;
}

void appendLinksAndAddresses(netlib::Batch& batch, const Attachment& attachment, unsigned index) {
  link::appendSetUp(batch, link::kLoopbackIndex);
  if (attachment.containerInterfaceDown) return;
  link::appendSetUpAnnouncing(batch, index);  // see neighboursAnnounced()

  const auto detection = attachment.detectDuplicateAddresses ? address::DuplicateDetection::On  //
                                                             : address::DuplicateDetection::Off;
  for (const Lease& lease : attachment.leases) address::appendAdd(batch, index, lease.address, detection);
}

/// Another network of the container has a route to the same destination: this one gets a higher metric, and is used
/// when the container leaves the other network.
netlib::Result<> addBehind(Host& host, route::Route wanted, unsigned index) {
  constexpr std::uint32_t kStep = 100;
  constexpr int kTries = 8;  // another process may be connecting another network
  for (int attempt = 1;; ++attempt) {
    for (const route::Route& present : TRY(route::list(host.container->route, wanted.destination.family()))) {
      if (present.destination != wanted.destination || present.table != wanted.table) continue;
      if (present.uses(index)) return {};  // the kernel's own for an address
      wanted.metric = std::max(wanted.metric, present.metric + kStep);
    }
    netlib::Batch batch;
    route::appendAdd(batch, wanted);
    const auto added = host.container->route.request(batch);
    if (added) return {};
    if (!added.failedWith(EEXIST) || attempt == kTries) return netlib::fail(added.error());
  }
}

netlib::Error refused(netlib::Error error, bool isMultipath) {
  if (isMultipath && error.isErrno(EINVAL)) {
    error.message += ": several \"gw\" for one \"dst\" need a kernel with CONFIG_IP_ROUTE_MULTIPATH";
  }
  return error;
}

/// In one datagram.
netlib::Result<> request(Host& host, const Attachment& attachment, unsigned index) {
  netlib::Batch batch;
  appendLinksAndAddresses(batch, attachment, index);
  const std::size_t firstRoute = batch.count();
  const std::vector<route::Route> routes = routesOf(attachment, index);
  for (const route::Route& wanted : routes) route::appendAdd(batch, wanted);

  const auto answers = TRY(host.container->route.exchange(batch));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (i >= firstRoute && answers[i].error == EEXIST) {
      TRY(addBehind(host, routes.at(i - firstRoute), index));
    } else if (answers[i].error != 0) {
      const bool isMultipath = i >= firstRoute && routes.at(i - firstRoute).nextHops.size() > 1;
      return netlib::fail(refused(errorOf(answers[i], batch.what(i)), isMultipath));
    }
  }
  return {};
}

netlib::Result<> compareAddresses(Differences& found, Host& host, const Attachment& attachment, unsigned index) {
  for (const Lease& lease : attachment.leases) {
    const auto present = TRY(address::list(host.container->route, lease.address.family(), index));
    if (std::ranges::find(present, lease.address, &address::InterfaceAddress::prefix) != present.end()) continue;
    found.push_back(missing("address " + lease.address.toString() + " of " + attachment.key.ifName.toString(),
                            Remedy::RestartContainer));
  }
  return {};
}

std::string textOf(const std::vector<route::NextHop>& hops) {
  std::string gateways;
  for (const route::NextHop& hop : hops) {
    if (hop.gateway) gateways += (gateways.empty() ? "through " : ", ") + hop.gateway->toString();
  }
  return gateways.empty() ? "without a gateway" : gateways;
}

/// The next hops on the link, in any table and with any metric: later plugins (sbr) may move routes, those of another
/// network may have come first (addBehind()), and other programs may add next hops.
netlib::Result<std::vector<route::NextHop>> nextHopsTo(Host& host, const netlib::IpPrefix& destination,
                                                       unsigned index) {
  std::vector<route::NextHop> hops;
  for (const route::Route& present : TRY(route::list(host.container->route, destination.family(), index))) {
    if (present.destination != destination) continue;
    std::ranges::copy_if(present.nextHops, std::back_inserter(hops),
                         [index](const route::NextHop& hop) { return hop.linkIndex == index; });
  }
  return hops;
}

/// The kernel's own route for an address was there first, and has no gateway.
bool isOfSubnet(const Attachment& attachment, const netlib::IpPrefix& destination) {
  return std::ranges::any_of(attachment.leases,
                             [&](const Lease& lease) { return lease.address.network() == destination; });
}

netlib::Result<> compareRoutes(Differences& found, Host& host, const Attachment& attachment, unsigned index) {
  for (const route::Route& wanted : routesOf(attachment, index)) {
    const auto present = TRY(nextHopsTo(host, wanted.destination, index));
    const auto isPresent = [&](const std::optional<netlib::IpAddress>& gateway) {
      return std::ranges::find(present, gateway, &route::NextHop::gateway) != present.end();
    };
    if (std::ranges::all_of(wanted.nextHops, isPresent, &route::NextHop::gateway)) continue;
    if (isOfSubnet(attachment, wanted.destination) && isPresent(std::nullopt)) continue;
    found.push_back({.what = "route to " + wanted.destination.toString() + " in the container",
                     .expected = textOf(wanted.nextHops),
                     .actual = present.empty() ? std::string{kMissing} : textOf(present),
                     .remedy = Remedy::RestartContainer});
  }
  return {};
}

/// Without a guard a later plugin (tuning) may have set another one.
void compareMac(Differences& found, const Attachment& attachment, const link::Link& interface) {
  if (attachment.guard == SpoofGuard::None) return;
  addIfDiffers(found, {.what = "MAC of " + attachment.key.ifName.toString(),
                       .expected = attachment.containerMac.toString(),
                       .actual = interface.mac ? interface.mac->toString() : "none",
                       .remedy = Remedy::RestartContainer});
}

class ContainerAddresses final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "addresses of " + attachment_.key.ifName.toString(); }

  netlib::Result<> apply(Host& host) const override {
    const unsigned index = TRY(containerIndexOf(host, attachment_));
    if (hasIpv6(attachment_)) TRY(host.container->netns.inside([&] { return switchOnIpv6(host, attachment_); }));
    return request(host, attachment_, index);
  }

  // Removed together with the interface.
  netlib::Result<> undo(Host&) const override { return {}; }
  bool isInside() const override { return true; }

  netlib::Result<Differences> verify(Host& host) const override {
    const auto interface = link::find(host.container->route, attachment_.key.ifName);
    const std::string what = "interface " + attachment_.key.ifName.toString() + " of the container";
    if (interface.failedWith(ENODEV)) return Differences{missing(what, Remedy::RestartContainer)};
    if (!interface) return netlib::fail(interface.error());
    Differences found;
    compareMac(found, attachment_, *interface);
    if (attachment_.containerInterfaceDown) return found;
    addIfDiffers(found, {.what = what,
                         .expected = "up",
                         .actual = interface->up() ? "up" : "down",
                         .remedy = Remedy::RestartContainer});
    TRY(compareAddresses(found, host, attachment_, interface->index));
    TRY(compareRoutes(found, host, attachment_, interface->index));
    return found;
  }

  // verify() finds nothing that could be repaired.
  netlib::Result<> repair(Host&) const override { return {}; }
};

}  // namespace

StepPointer containerAddresses(const Attachment& attachment) {
  return std::make_unique<const ContainerAddresses>(attachment);
}

}  // namespace pons
