// ponsctl list: the attachments of all networks, one line per interface.
#pragma once

#include "plugin/ctl/report.h"
#include "plugin/ctl/status.h"

namespace pons::ctl {

/// By which list sorts: "network", "pod", …
std::vector<std::string> listColumns();

std::string listJson(const std::vector<AttachmentStatus>& statuses);
/// Chained plugins are in the line of their interface. `sort` is one of listColumns(): numbers in texts compare as
/// numbers, and those with faults are first for "health".
std::string listText(const json::Value& root, const Terminal& terminal, const std::string& sort = "health");

}  // namespace pons::ctl
