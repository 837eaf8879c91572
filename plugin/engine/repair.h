// Brings back what others took away: a flushed ruleset, a bridge that lost its address, forwarding switched off.
#pragma once

#include <string>
#include <vector>

#include "plugin/context/context.h"

namespace pons {

enum class RepairMode : bool { Look, Mend };

/// A state of an attachment that was not there.
struct Finding {
  AttachmentKey key;
  std::string what;    ///< is missing
  std::string reason;  ///< why it could not be mended; empty where it was, or where nobody tried
};

/// Verifies every attachment on record, of all networks, and mends what is broken. The nf_tables of a family come back
/// in one transaction. Attachments that a verb is at work on are left to it.
netlib::Result<std::vector<Finding>> repair(Host& host, RepairMode mode);

}  // namespace pons
