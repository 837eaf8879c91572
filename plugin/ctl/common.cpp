#include "plugin/ctl/common.h"

#include <algorithm>

#include "netlib/base/utf8.h"

#include "plugin/cni/decode/settings.h"

namespace pons::ctl {

netlib::Result<std::optional<Host>> openHost(const Arguments& arguments) {
  auto ledger = Ledger::openExisting(arguments.stateDir, cni::Settings{}.lockTimeout);
  if (ledger.failedWith(ENOENT)) return std::optional<Host>{};
  if (!ledger) return netlib::fail(ledger.error());
  return std::optional<Host>{TRY(Host::open(std::move(*ledger)))};
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

Answer failure(const std::string& command, const netlib::Error& error) {
  return {kFailed, {}, linesOf(command, {error.message})};
}

}  // namespace pons::ctl
