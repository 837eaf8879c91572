// Restores what other programs removed: a flushed ruleset, an address of a bridge, IP forwarding.
#pragma once

#include <string>
#include <vector>

#include "plugin/context/context.h"

namespace pons {

enum class RepairMode : bool { DryRun, Repair };

/// A state of an attachment that was missing or differed.
struct RepairedFault {
  AttachmentKey key;
  std::string what;
  std::string reason;  ///< why it could not be restored; empty where it was, and in a dry run
};

/// Verifies every recorded attachment of all networks, and restores what is missing; all nf_tables of a family in one
/// transaction. Leaves out attachments whose record another process has locked. Takes the host lock for each repair.
netlib::Result<std::vector<RepairedFault>> repair(Host& host, RepairMode mode);

}  // namespace pons
