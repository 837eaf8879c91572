#include "plugin/steps/host_local_files.h"

namespace pons {

std::string HostLocalFiles::name() const { return "leases of host-local in " + *attachment_.hostLocalDir; }

netlib::Result<> HostLocalFiles::apply(Host& /*host*/) const { return {}; }

netlib::Result<> HostLocalFiles::repair(Host& host) const {
  const auto files = TRY(HostLocal::lock(*attachment_.hostLocalDir, attachment_.key.network, host.ledger.patience()));
  for (const Lease& lease : attachment_.leases) TRY(files.reserve(ownerFrom(attachment_.key), lease.address.address()));
  return {};
}

netlib::Result<> HostLocalFiles::undo(Host& host) const {
  const auto files =
      TRY(HostLocal::lockExisting(*attachment_.hostLocalDir, attachment_.key.network, host.ledger.patience()));
  if (!files) return {};
  const HostLocalOwner owner = ownerFrom(attachment_.key);
  if (attachment_.leases.empty()) return files->releaseAll(owner);
  for (const Lease& lease : attachment_.leases) TRY(files->release(owner, lease.address.address()));
  return {};
}

netlib::Result<> HostLocalFiles::verify(Host& /*host*/) const {
  const auto files = TRY(HostLocal::peek(*attachment_.hostLocalDir, attachment_.key.network));
  for (const Lease& lease : attachment_.leases) {
    const netlib::IpAddress& address = lease.address.address();
    if (files && TRY(files->belongsTo(ownerFrom(attachment_.key), address))) continue;
    return broken("host-local failed to find address " + address.toString() + " in " + *attachment_.hostLocalDir);
  }
  return {};
}

}  // namespace pons
