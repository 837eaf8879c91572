// Restores what other programs removed: a flushed ruleset, an address of a bridge, IP forwarding.
#pragma once

#include <string>
#include <vector>

#include "plugin/engine/inspection.h"

namespace pons {

struct RepairedFault {
  AttachmentKey key;
  Fault fault;
  std::string reason;  ///< why it is still there; empty where it was repaired
};

/// Which attachments are repaired, and what of them.
struct RepairScope {
  Scope scope = Scope::All;
  std::optional<NetworkName> network = std::nullopt;  ///< of all networks if absent
};

/// Inspects the recorded attachments and restores what is missing; all nf_tables of a family in one transaction. What
/// was repaired is inspected again: it counts as repaired where the fault is gone. Leaves out attachments that
/// another process is adding or deleting; where one inspects them, waits up to 0.5 s in all. Takes the host lock for
/// each repair; nothing where there is no fault.
netlib::Result<std::vector<RepairedFault>> repair(Host& host, const RepairScope& scope = {});

}  // namespace pons
