// ponsctl policy: prints or replaces the egress policy of a container.
#pragma once

#include <string>
#include <vector>

#include "plugin/ctl/report.h"
#include "plugin/model/attachment.h"

namespace pons::ctl {

/// "egressPolicy" is a value of the configuration key: `ponsctl policy` reads it.
std::string policyJson(const std::vector<Attachment>& attachments);
std::string policyText(const json::Value& root, const Terminal& terminal);

}  // namespace pons::ctl
