#include "plugin/ctl/commands.h"

#include <cstdlib>

#include <unistd.h>

#include "plugin/cni/decode/settings.h"
#include "plugin/ctl/command_line.h"

namespace pons::ctl {

namespace {

Answer execute(const Arguments& arguments) {
  switch (arguments.command) {
    case Command::List:
      return list(arguments);
    case Command::Show:
      return show(arguments);
    case Command::Networks:
      return networks(arguments);
    case Command::Check:
      return check(arguments);
    case Command::Repair:
      return repair(arguments);
    case Command::Gc:
      return gc(arguments);
    case Command::Explain:
      return explain(arguments);
    case Command::Doctor:
      return doctor(arguments);
    case Command::Graph:
      return graph(arguments);
    case Command::Metrics:
      return metrics(arguments);
    case Command::Version:
      return version(arguments);
  }
  return {kMisused, {}, {}};
}

}  // namespace

Answer run(int argc, const char* const* argv, const cni::Environment& environment) {
  Arguments defaults{.terminal = Terminal::of(STDOUT_FILENO, [](const char* name) { return std::getenv(name); })};
  defaults.stateDir = environment.stateDir.empty() ? cni::Settings{}.stateDir : environment.stateDir;
  if (!environment.path.empty()) defaults.pluginPath = environment.path;
  auto parsed = parse(argc, argv, defaults);
  if (auto* ended = std::get_if<Answer>(&parsed)) return std::move(*ended);
  return execute(std::get<Arguments>(parsed));
}

}  // namespace pons::ctl
