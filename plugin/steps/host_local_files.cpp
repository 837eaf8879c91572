#include "plugin/ledger/host_local.h"
#include "plugin/steps/steps.h"

namespace pons {

namespace {

class HostLocalFiles final : public AttachmentStep {
 public:
  using AttachmentStep::AttachmentStep;

  std::string name() const override { return "leases of host-local in " + *attachment_.hostLocalDir; }
  bool comesWithClaim() const override { return true; }
  netlib::Result<> apply(Host& /*host*/) const override { return {}; }

  /// Without recorded leases: all files of that container and interface.
  netlib::Result<> undo(Host& host) const override {
    const auto files =
        TRY(HostLocal::lockExisting(*attachment_.hostLocalDir, attachment_.key.network, host.ledger.patience()));
    if (!files) return {};
    const HostLocalOwner owner = ownerFrom(attachment_.key);
    if (attachment_.leases.empty()) return files->releaseAll(owner);
    for (const Lease& lease : attachment_.leases) TRY(files->release(owner, lease.address.address()));
    return {};
  }

  netlib::Result<Differences> verify(Host& /*host*/) const override {
    Differences found;
    const auto files = TRY(HostLocal::peek(*attachment_.hostLocalDir, attachment_.key.network));
    for (const Lease& lease : attachment_.leases) {
      const netlib::IpAddress& address = lease.address.address();
      if (files && TRY(files->belongsTo(ownerFrom(attachment_.key), address))) continue;
      const auto owner = files ? TRY(files->ownerOf(address)) : std::nullopt;
      // That of another container is not taken from it.
      found.push_back({.what = "host-local's file of " + address.toString() + " in " + *attachment_.hostLocalDir,
                       .expected = "of container " + attachment_.key.container.toString(),
                       .actual = owner ? "of " + *owner : std::string{kMissing},
                       .remedy = owner ? Remedy::RestartContainer : Remedy::Repair});
    }
    return found;
  }

  netlib::Result<> repair(Host& host) const override {
    const auto files = TRY(HostLocal::lock(*attachment_.hostLocalDir, attachment_.key.network, host.ledger.patience()));
    for (const Lease& lease : attachment_.leases)
      TRY(files.reserve(ownerFrom(attachment_.key), lease.address.address()));
    return {};
  }
};

}  // namespace

StepPointer hostLocalFiles(const Attachment& attachment) { return std::make_unique<const HostLocalFiles>(attachment); }

}  // namespace pons
