// CHECK: prevResult, the ledger and the kernel against each other.
#include <algorithm>

#include "plugin/engine/inspection.h"
#include "plugin/verbs/attach.h"
#include "plugin/verbs/chained_builder.h"
#include "plugin/verbs/delegate.h"

namespace pons {

using cni::ErrorCode;

namespace {

/// Relative to this process, so a path in /proc says nothing once its PID is another process'.
bool leadsElsewhere(const std::string& sandbox, const Attachment& attachment) {
  if (sandbox.starts_with("/proc/")) return false;
  const auto netns = netnsIdAt(sandbox);
  return netns && *netns && **netns != attachment.netns;
}

/// What prevResult, the result of the whole chain, says of the container's interface. A later plugin that sets the MAC
/// says so there; the reference's tuning does not when it sets the MTU, mostly to a smaller one.
void compareInterface(Differences& found, const cni::Interface& previous, const Attachment& attachment,
                      const netlib::link::Link& link) {
  const auto mac = netlib::MacAddress::parse(previous.mac);
  if (mac && link.mac) {
    addIfDiffers(found, {.what = "MAC of " + link.name,
                         .expected = mac->toString(),
                         .actual = link.mac->toString(),
                         .remedy = Remedy::RestartContainer});
  }
  if (previous.mtu != 0 && link.mtu > previous.mtu) {
    found.push_back({.what = "MTU of " + link.name,
                     .expected = std::to_string(previous.mtu),
                     .actual = std::to_string(link.mtu),
                     .remedy = Remedy::RestartContainer});
  }
  if (leadsElsewhere(previous.sandbox, attachment)) {
    found.push_back({.what = "sandbox of " + link.name + " in prevResult",
                     .expected = "the network namespace of the container",
                     .actual = previous.sandbox,
                     .remedy = Remedy::RestartContainer});
  }
}

/// Entries of other plugins are ignored.
netlib::Result<Differences> comparePrevious(const cni::AddResult& previous, const Attachment& attachment, Host& host) {
  Differences found;
  for (const Lease& lease : attachment.leases) {
    if (std::ranges::find(previous.addresses, lease.address, &cni::Address::address) != previous.addresses.end())
      continue;
    found.push_back(missing("address " + lease.address.toString() + " in prevResult", Remedy::RestartContainer));
  }
  // Results before 0.3.0 have no interfaces.
  if (previous.interfaces.empty()) return found;
  const std::string name = attachment.key.ifName.toString();
  const auto named = std::ranges::find_if(previous.interfaces, [&name](const cni::Interface& interface) {
    return interface.name == name && !interface.sandbox.empty();
  });
  if (named == previous.interfaces.end()) {
    found.push_back(missing("interface " + name + " in prevResult", Remedy::RestartContainer));
    return found;
  }
  const auto link = netlib::link::find(host.container->route, attachment.key.ifName);
  if (link.failedWith(ENODEV)) return found;  // the inspection says so
  if (!link) return netlib::fail(link.error());
  compareInterface(found, *named, attachment, *link);
  return found;
}

/// With the routes that prevResult still has: a later plugin may have removed some, or given them another gateway
/// (route-override).
Attachment withRoutesOf(const cni::AddResult& previous, Attachment attachment) {
  std::vector<Route> routes;
  for (Route& own : attachment.routes) {
    bool isLeft = false;
    bool isSame = false;
    std::optional<netlib::IpAddress> gateway;
    for (const Route& other : previous.routes) {
      if (other.destination != own.destination) continue;
      isLeft = true;
      isSame = isSame || !other.gateway || other.gateway == own.gateway;
      gateway = other.gateway;
    }
    if (isLeft && !isSame) own.gateway = gateway;
    if (isLeft) routes.push_back(std::move(own));
  }
  attachment.routes = std::move(routes);
  return attachment;
}

/// By the path of this call, which the runtime may have changed.
cni::Result<> openForCheck(const cni::Request& request, const Attachment& attachment, Host& host) {
  const std::string remedy = ": " + std::string{remedyText(Remedy::RestartContainer)};
  auto container = Container::open(request.netnsPath);
  if (container.failedWith(ENOENT)) {
    return cni::fail(ErrorCode::CheckFailed,
                     "the network namespace of the container no longer exists: " + container.error().message + remedy);
  }
  host.container = TRY(std::move(container));
  if (idOf(*host.container) != attachment.netns) {
    return cni::fail(ErrorCode::CheckFailed,
                     request.netnsPath + " refers to a different network namespace than at ADD" + remedy);
  }
  return {};
}

/// The first difference is the message, the others are its details. An error has its own code: a delegated IPAM
/// plugin's is passed on.
cni::Result<> resultOf(const std::vector<Fault>& faults) {
  if (faults.empty()) return {};
  const auto isRead = [](const Fault& fault) { return !fault.error; };
  const auto first = std::ranges::find_if(faults, isRead);
  if (first == faults.end()) return netlib::fail(*faults.front().error);
  std::string others;
  for (auto fault = faults.begin(); fault != faults.end(); ++fault) {
    if (fault != first) others += (others.empty() ? "" : "\n") + fault->difference.textWithRemedy();
  }
  return cni::fail(ErrorCode::CheckFailed, first->difference.textWithRemedy(), others);
}

}  // namespace

cni::Result<> check(const cni::Request& request, Host& host) {
  const bool isChained = request.key.plugin != ChainedPlugin::None;
  if (isChained && !hasWork(request)) return {};
  host.ipam = std::make_unique<Delegate>(request);
  const auto record = TRY(host.ledger.find(request.key));
  if (!record || record->state != RecordState::Committed) {
    return cni::fail(ErrorCode::CheckFailed, request.key.toString() + " is not attached");
  }
  if (!request.previous) return cni::fail(ErrorCode::InvalidConfig, "CHECK requires prevResult");
  TRY(openForCheck(request, record->attachment, host));

  std::vector<Fault> faults;
  // The interface of a chained plugin is the main plugin's; some main plugins list the host's links only.
  const Differences differences =
      isChained ? Differences{} : TRY(comparePrevious(*request.previous, record->attachment, host));
  for (const Difference& difference : differences) faults.push_back({{}, {}, difference});
  for (Fault& fault : Inspection{host}.faultsOf(withRoutesOf(*request.previous, record->attachment))) {
    // The MAC of prevResult and that of the spoof guard are mostly the same.
    if (std::ranges::find(differences, fault.difference) == differences.end()) faults.push_back(std::move(fault));
  }
  return resultOf(faults);
}

}  // namespace pons
