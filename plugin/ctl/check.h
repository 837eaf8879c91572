// ponsctl check: the faults of all attachments; and with --repair what was restored.
#pragma once

#include "plugin/ctl/report.h"
#include "plugin/ctl/status.h"
#include "plugin/engine/repair.h"

namespace pons::ctl {

/// All attachments with faults.
std::string checkJson(const std::vector<AttachmentStatus>& statuses);
/// Each fault with its remedy. One of shared state is listed once, with the attachments that it affects; then those of
/// each attachment alone, without what follows from a fault of its shared state.
std::string checkText(const json::Value& root, const Terminal& terminal);

/// A fault, and its container's pod if it has one.
struct Finding {
  RepairedFault fault;
  std::string pod = {};
};
/// Repairs, and counts that in the metrics.
netlib::Result<std::vector<Finding>> repaired(Host& host, const Arguments& arguments);
std::string repairJson(const std::vector<Finding>& findings);
/// One of them, on one line, with the container's whole ID.
std::string repairLine(const Finding& finding);
/// What was restored, and what was not and why, one per line: of shared state once, then of each attachment; and how
/// many.
std::string repairText(const json::Value& root, const Terminal& terminal);

}  // namespace pons::ctl
