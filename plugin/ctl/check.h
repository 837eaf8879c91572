// ponsctl check: the faults of all attachments.
#pragma once

#include "plugin/ctl/status.h"

namespace pons::ctl {

/// A fault of shared state is listed once for all its attachments, without their other faults, which may follow from
/// it.
std::string checkText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal);
/// All faults.
std::string checkJson(const std::vector<AttachmentStatus>& statuses);

}  // namespace pons::ctl
