// Orphans: attachments of containers that no longer exist, and kernel objects and claims without a record.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/arguments.h"
#include "plugin/engine/sweep.h"

namespace pons::ctl {

struct OrphanResult {
  Orphan orphan;
  std::string failure = {};  ///< why it could not be deleted; else empty
  std::string pod = {};      ///< of its container; empty if that is not known
  bool isLost = false;       ///< an attachment whose record cannot be read
};

struct Orphans {
  bool deletes = false;  ///< else they are only listed
  std::vector<OrphanResult> all = {};
  std::vector<std::string> problems = {};  ///< errors: what they concern was not searched completely
  std::vector<std::string> others = {};    ///< other state directories of this host, whose objects are left alone

  bool isLeft(const OrphanResult& one) const { return !deletes || !one.failure.empty(); }
};

/// Finds the orphans of `arguments.network`, or of all networks, and deletes them with `arguments.deletes`. Skips
/// networks whose configuration names another state directory. Takes record locks without waiting, and the host lock.
/// Invalid if `arguments.network` is not a valid name.
netlib::Result<Orphans> collectOrphans(Host& host, const Arguments& arguments);

/// The same for the attachments alone: whatever has no record is left, since its container may be running.
netlib::Result<Orphans> collectDead(Host& host, const Arguments& arguments);

}  // namespace pons::ctl
