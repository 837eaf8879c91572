#include "plugin/verbs/ipam.h"

#include <algorithm>

#include "plugin/telemetry/log.h"

namespace pons {

using cni::ErrorCode;
using cni::IpamRequest;
using cni::Verb;

namespace {

const std::string& directoryOf(const IpamRequest& request) { return *request.addresses.hostLocalDir; }

cni::Result<std::string> describe(const IpamRequest& request, const std::vector<Lease>& leases) {
  cni::AddResult result;
  for (const Lease& lease : leases) result.addresses.push_back({std::nullopt, lease.address, lease.gateway});
  result.routes = request.routes;
  result.dns = request.dns;
  return cni::printResult(result, request.version);
}

/// The result is printed before anything is reserved: an address that cannot be returned must not be leased.
cni::Result<std::string> lease(const IpamRequest& request, std::chrono::milliseconds lockTimeout) {
  const HostLocal files = TRY(HostLocal::lock(directoryOf(request), request.network, lockTimeout));
  const HostLocalOwner owner = ownerFrom(*request.key);
  if (const auto own = TRY(files.addressesOf(owner)); !own.empty()) {
    return cni::fail(ErrorCode::AlreadyAttached, own.front().toString() + " has been allocated to " + owner.container +
                                                     ", duplicate allocation is not allowed");
  }
  // An IPAM plugin may allocate any address of its ranges, including those of the host.
  const AddressSources sources{.network = request.network, .registers = {&files}, .roundRobin = &files};
  const std::vector<Lease> leases = TRY(chooseLeases(sources, request.addresses));
  std::string result = TRY(describe(request, leases));
  TRY(files.reserveAll(owner, leases));
  return result;
}

netlib::Result<> release(const IpamRequest& request, std::chrono::milliseconds lockTimeout) {
  const auto files = TRY(HostLocal::lockExisting(directoryOf(request), request.network, lockTimeout));
  return files ? files->releaseAll(ownerFrom(*request.key)) : netlib::Result<>{};
}

netlib::Result<> collect(const IpamRequest& request, std::chrono::milliseconds lockTimeout) {
  const auto files = TRY(HostLocal::lockExisting(directoryOf(request), request.network, lockTimeout));
  if (!files) return {};
  return files->sweep([&](const HostLocalOwner& owner) { return isUnlisted(request.valid, owner); });
}

cni::Result<> checkLease(const IpamRequest& request) {
  const auto files = TRY(HostLocal::peek(directoryOf(request), request.network));
  const HostLocalOwner owner = ownerFrom(*request.key);
  if (files && !TRY(files->addressesOf(owner)).empty()) return {};
  return cni::fail(ErrorCode::CheckFailed, "host-local: Failed to find address added by container " + owner.container);
}

netlib::Result<> checkAvailable(const IpamRequest& request) {
  const auto files = TRY(HostLocal::peek(directoryOf(request), request.network));
  AddressSources sources{.network = request.network, .registers = {}};
  if (files) {
    TRY(files->checkWritable());
    sources.registers = {&*files};
  }
  return checkFree(sources, request.addresses);
}

cni::Result<> checkStatic(const IpamRequest& request) {
  if (!request.previous) return cni::fail(ErrorCode::InvalidConfig, "static: CHECK needs prevResult");
  for (const Lease& fixed : request.addresses.fixed) {
    const auto found =
        std::ranges::find(request.previous->addresses, fixed.address, [](const cni::Address& a) { return a.address; });
    if (found != request.previous->addresses.end()) continue;
    return cni::fail(ErrorCode::CheckFailed, "static: prevResult lacks address " + fixed.address.toString());
  }
  return {};
}

}  // namespace

cni::Result<std::string> hostLocal(const IpamRequest& request, std::chrono::milliseconds lockTimeout) {
  switch (request.verb) {
    case Verb::Add:
      return lease(request, lockTimeout);
    case Verb::Del:
      TRY(release(request, lockTimeout));
      break;
    case Verb::Check:
      TRY(checkLease(request));
      break;
    case Verb::Gc:
      TRY(collect(request, lockTimeout));
      break;
    case Verb::Status:
      if (const auto free = checkAvailable(request); free.failedWith(netlib::Cause::Exhausted)) {
        log::warning("pool-full", free.error().message);  // see status() in network.h
      } else if (!free) {
        return cni::fail(ErrorCode::NotAvailable, free.error().message);
      }
      break;
    case Verb::Version:
      break;  // handled in serve()
  }
  return std::string{};
}

cni::Result<std::string> staticAddresses(const IpamRequest& request) {
  if (request.verb == Verb::Add) return describe(request, request.addresses.fixed);
  if (request.verb == Verb::Check) TRY(checkStatic(request));
  return std::string{};
}

bool isUnlisted(const std::optional<std::vector<cni::ValidAttachment>>& valid, const HostLocalOwner& owner) {
  const auto container = ContainerId::parse(owner.container);
  if (!valid || !container) return false;
  return std::ranges::none_of(*valid, [&](const cni::ValidAttachment& attachment) {
    // Files of old releases of host-local contain no interface name.
    return attachment.container == *container && (owner.ifName.empty() || attachment.ifName.toString() == owner.ifName);
  });
}

}  // namespace pons
