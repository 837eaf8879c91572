#include "plugin/ctl/commands.h"

#include <cerrno>
#include <cstdlib>

#include <unistd.h>

#include "plugin/cni/applet.h"
#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/command_line.h"
#include "plugin/ctl/common.h"
#include "plugin/ctl/json_output.h"
#include "plugin/ctl/report.h"

namespace pons::ctl {

Answer run(int argc, const char* const* argv, const cni::Environment& environment) {
  Arguments defaults{.terminal = Terminal::of(STDOUT_FILENO, [](const char* name) { return std::getenv(name); })};
  defaults.stateDir = environment.stateDir.empty() ? cni::Settings{}.stateDir : environment.stateDir;
  if (!environment.path.empty()) defaults.pluginPath = environment.path;
  auto parsed = parse(argc, argv, defaults);
  if (auto* ended = std::get_if<Answer>(&parsed)) return std::move(*ended);
  const Arguments& arguments = std::get<Arguments>(parsed);
  auto answered = arguments.run(arguments);
  if (answered) return std::move(*answered);
  const bool isRoot = geteuid() == 0;
  const bool isRefused = answered.failedWith(EACCES) || answered.failedWith(EPERM);
  const std::string advice = isRefused && !isRoot ? ": must be run as root" : "";
  // Others cannot read the ledger, by which it is known whether an argument is wrong.
  const int status = isRoot && answered.failedWith(netlib::Cause::Invalid) ? kMisused : kFailed;
  return {status, {}, linesOf(arguments.command, {answered.error().message + advice})};
}

netlib::Result<Answer> version(const Arguments& arguments) {
  const auto write = [](json::Writer& writer) {
    std::vector<std::string> versions;
    for (const std::string_view one : cni::versionsFrom(cni::oldestVersionOf(cni::Applet::Pons))) {
      versions.emplace_back(one);
    }
    writer.member("version", cni::release());
    writeStrings(writer, "cniVersions", versions);
  };
  return answer(arguments, jsonDocument(write),
                [](const json::Value&, const Terminal&) { return cni::aboutText(cni::Applet::Pons); });
}

}  // namespace pons::ctl
