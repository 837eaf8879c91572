#include "plugin/ctl/common.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/files.h"
#include "plugin/ctl/format.h"
#include "plugin/verbs/state_directory.h"

namespace pons::ctl {

netlib::Result<StateDirectory> findStateDirectory(const Arguments& arguments) {
  if (exists(arguments.stateDir)) return StateDirectory::Present;
  const auto inUse = stateDirectoriesInUse();
  if (inUse && inUse->contains(nameOfStateDir(arguments.stateDir))) return StateDirectory::Lost;
  if (arguments.stateDir == cni::Settings{}.stateDir) return StateDirectory::None;
  const std::vector<std::string> others = otherStateDirectories(arguments);
  return netlib::fail(netlib::Cause::Invalid, "there is no state directory " + arguments.stateDir +
                                                  (others.empty() ? "" : "; on this host: " + joined(others)));
}

std::string absenceOf(const Arguments& arguments) {
  return exists(arguments.stateDir) ? "" : " (no state directory " + arguments.stateDir + " yet)";
}

std::vector<std::string> otherStateDirectories(const Arguments& arguments) {
  auto inUse = stateDirectoriesInUse();
  if (!inUse) return {};  // without root nf_tables cannot be read
  inUse->erase(nameOfStateDir(arguments.stateDir));
  return {inUse->begin(), inUse->end()};
}

netlib::Result<std::optional<Host>> openHost(const Arguments& arguments) {
  const StateDirectory found = TRY(findStateDirectory(arguments));
  if (found == StateDirectory::None) return std::optional<Host>{};
  if (found == StateDirectory::Lost) {
    return netlib::fail(netlib::Cause::Missing, "there is no state directory " + arguments.stateDir +
                                                    ", but links or tables of pons name it: \"ponsctl gc\" lists them");
  }
  auto ledger = Ledger::openExisting(arguments.stateDir, cni::Settings{}.lockTimeout);
  if (ledger.failedWith(ENOENT)) return std::optional<Host>{};  // removed meanwhile
  if (!ledger) return netlib::fail(ledger.error());
  return TRY(Host::open(std::move(*ledger)));
}

netlib::Result<Host> requireHost(const Arguments& arguments) {
  auto host = TRY(openHost(arguments));
  if (host) return std::move(*host);
  return netlib::fail(netlib::Cause::Missing, "no attachments are recorded in " + arguments.stateDir);
}

bool has(const Attachment& attachment, const std::string& sharedState) {
  const auto states = sharedStatesOf(attachment);
  return std::ranges::find(states, sharedState) != states.end();
}

std::string linesOf(const std::string& command, const std::vector<std::string>& problems) {
  std::string lines;
  for (const std::string& problem : problems) lines += "ponsctl " + command + ": " + netlib::printable(problem) + "\n";
  return lines;
}

}  // namespace pons::ctl
