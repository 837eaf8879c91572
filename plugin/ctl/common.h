// Helpers of several commands.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugin/context/context.h"
#include "plugin/ctl/arguments.h"
#include "plugin/verbs/serve.h"

namespace pons::ctl {

enum class StateDirectory : std::uint8_t {
  Present,
  None,  ///< of a host where nothing was ever attached: the default one does not exist
  Lost,  ///< it does not exist, but links or tables of pons name it
};
/// Invalid where it neither exists nor is one of the others: a wrong --state-dir.
netlib::Result<StateDirectory> findStateDirectory(const Arguments& arguments);

/// " (no state directory /run/pons yet)" where it does not exist; else empty.
std::string absenceOf(const Arguments& arguments);

/// The other state directories that links or tables of pons on this host name, as far as that can be read.
std::vector<std::string> otherStateDirectories(const Arguments& arguments);

/// Nothing on a host where nothing was ever attached. Differs if the ledger is of an earlier boot; Missing where the
/// state directory is lost; Invalid as findStateDirectory().
netlib::Result<std::optional<Host>> openHost(const Arguments& arguments);

/// The same; Missing also where nothing was ever attached.
netlib::Result<Host> requireHost(const Arguments& arguments);

/// Whether the attachment refers to that shared state, see sharedStatesOf().
bool has(const Attachment& attachment, const std::string& sharedState);

/// Lines for stderr, "ponsctl COMMAND: PROBLEM" each; control characters are escaped.
std::string linesOf(const std::string& command, const std::vector<std::string>& problems);

}  // namespace pons::ctl
