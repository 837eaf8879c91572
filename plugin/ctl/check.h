// ponsctl check: the faults of all attachments.
#pragma once

#include "plugin/ctl/status.h"

namespace pons::ctl {

/// Each fault with its remedy. One of shared state is listed once for all its attachments, without their own faults
/// that follow from it.
std::string checkText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal);
/// All faults.
std::string checkJson(const std::vector<AttachmentStatus>& statuses);

}  // namespace pons::ctl
