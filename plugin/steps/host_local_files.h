// host-local's files on disk tell of the container's addresses, so that plugins which know only those leave them alone.
#pragma once

#include "plugin/steps/step.h"

namespace pons {

/// Of an attachment with a hostLocalDir. The files are made with the claim, under the lock under which the addresses
/// were chosen.
class HostLocalFiles final : public Step {
 public:
  explicit HostLocalFiles(const Attachment& attachment) : attachment_(attachment) {}

  std::string name() const override;
  bool comesWithClaim() const override { return true; }
  netlib::Result<> apply(Host& host) const override;
  /// Of an attachment without leases on record: whatever host-local has for that container and interface.
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;
  netlib::Result<> repair(Host& host) const override;

 private:
  const Attachment& attachment_;
};

}  // namespace pons
