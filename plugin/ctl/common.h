// Helpers of several commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

/// Nothing if the state directory does not exist, so that nothing is recorded. ESTALE if the ledger is of an earlier
/// boot.
netlib::Result<std::optional<Host>> openHost(const Arguments& arguments);

/// Whether the attachment refers to that shared state, see sharedStatesOf().
bool has(const Attachment& attachment, const std::string& sharedState);

/// Lines for stderr, "ponsctl COMMAND: PROBLEM" each; control characters are escaped.
std::string linesOf(const std::string& command, const std::vector<std::string>& problems);

/// Exit code 1 with the error's line.
Answer failure(const std::string& command, const netlib::Error& error);

}  // namespace pons::ctl
