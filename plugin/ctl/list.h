// ponsctl list: the attachments of all networks, one line per interface.
#pragma once

#include "plugin/ctl/status.h"

namespace pons::ctl {

std::string listText(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal);
std::string listJson(const std::vector<AttachmentStatus>& statuses);

}  // namespace pons::ctl
