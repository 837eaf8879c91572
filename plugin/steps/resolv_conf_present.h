// The container's root has an /etc/resolv.conf that names the network's DNS servers.
//
// In a root that can be written it is a file, which begins with a mark of ours; the image's own file or symlink of that
// name is kept beside it as etc/.resolv.conf.pons until DEL puts it back. Over one that cannot, a file of the ledger is
// mounted.
#pragma once

#include "netlib/os/root_directory.h"

#include "plugin/steps/step.h"

namespace pons {

/// Of an attachment with a resolvConf. No other attachment has the same root: the ledger sees to that.
class ResolvConfPresent final : public Step {
 public:
  explicit ResolvConfPresent(const Attachment& attachment)
      : attachment_(attachment), resolvConf_(*attachment.resolvConf) {}

  std::string name() const override;
  netlib::Result<> apply(Host& host) const override;
  netlib::Result<> undo(Host& host) const override;
  netlib::Result<> verify(Host& host) const override;

 private:
  netlib::Result<> write(const netlib::InnerDirectory& etc) const;
  netlib::Result<> mountOver(Host& host, const netlib::RootDirectory& root) const;

  const Attachment& attachment_;
  const ResolvConf& resolvConf_;
};

}  // namespace pons
