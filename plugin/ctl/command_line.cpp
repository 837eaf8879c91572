#include "plugin/ctl/command_line.h"

#include <sstream>

#include <CLI/CLI.hpp>

#include "netlib/base/utf8.h"

#include "plugin/cni/applet.h"
#include "plugin/ctl/similar.h"

namespace pons::ctl {

namespace {

constexpr const char* kAbout =
    "ponsctl shows and repairs the network state that pons, a CNI plugin which connects\n"
    "containers to a Linux bridge, has set up on this host.";

constexpr const char* kExitCodes =
    "Exit codes: 0, no faults, or all repaired; 1, faults found or command failed;\n"
    "2, usage error.";

Answer misused(const std::string& message) {
  return {kMisused, {}, "ponsctl: " + netlib::printable(message) + "\nRun with --help for more information.\n"};
}

class CommandLine {
 public:
  explicit CommandLine(Arguments& arguments) : arguments_(arguments), app_(kAbout, "ponsctl") {
    app_.require_subcommand(0, 1);  // none: parse() and answerTo() have better messages than CLI11
    app_.set_help_flag("-h,--help", "Print this help");
    std::string versions = cni::aboutText(cni::Applet::Pons);
    versions.pop_back();  // CLI11 appends the newline
    app_.set_version_flag("--version", versions, "Print the versions");
    app_.footer(kExitCodes);
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    addWithState(Command::List, "list", "List the attachments of all networks");
    addShow();
    addWithConfigs(Command::Networks, "networks", "List the networks with the usage of their pools and bridges");
    addWithState(Command::Check, "check", "Verify all attachments against the kernel");
    addRepair();
    addGc();
    addExplain();
    addWithConfigs(Command::Doctor, "doctor", "Find problems of this host that affect containers");
    addGraph();
    addWithConfigs(Command::Metrics, "metrics", "Print metrics for Prometheus");
    addHelp();
    add(Command::Version, "version", "Print the versions of pons and of the CNI specification");
  }

  CLI::App& app() { return app_; }

  /// "ponsctl help [COMMAND]"; nothing for another command.
  std::optional<Answer> help() const {
    if (!help_->parsed()) return std::nullopt;
    if (helped_.empty()) {  // not app_.help(), which prints the help of the parsed command
      return Answer{0, app_.get_formatter()->make_help(&app_, "ponsctl", CLI::AppFormatMode::Normal), {}};
    }
    const auto commands = app_.get_subcommands([this](const CLI::App* one) { return one->get_name() == helped_; });
    if (commands.empty()) return misused(unknownCommand(helped_));
    return Answer{0, commands.front()->help("ponsctl"), {}};
  }

  std::string unknownCommand(const std::string& name) const {
    std::vector<std::string_view> known;
    for (const CLI::App* command : app_.get_subcommands({})) known.emplace_back(command->get_name());
    const std::string_view similar = similarTo(name, known);
    const std::string hint = similar.empty() ? "" : "; did you mean \"" + std::string{similar} + "\"?";
    return "unknown command \"" + name + "\"" + hint;
  }

 private:
  CLI::App& addWithoutJson(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = *app_.add_subcommand(name, what)->group("Commands");
    added.callback([this, command] { arguments_.command = command; });
    return added;
  }

  CLI::App& add(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = addWithoutJson(command, name, what);
    added.add_flag("--json", arguments_.json, "Print JSON");
    return added;
  }

  void addStateDir(CLI::App& to) {
    to.add_option("--state-dir", arguments_.stateDir, "Directory of the ledger (PONS_STATE_DIR, else /run/pons)")
        ->type_name("DIR");
  }

  CLI::App& addWithState(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = add(command, name, what);
    addStateDir(added);
    return added;
  }

  CLI::App& addWithConfigs(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = addWithState(command, name, what);
    added.add_option("--config-dir", arguments_.configDir, "Directory of network configurations (/etc/cni/net.d)")
        ->type_name("DIR");
    return added;
  }

  void addShow() {
    CLI::App& show = addWithState(Command::Show, "show", "Show everything about one container");
    show.add_option("container", arguments_.subject, "Container ID or unique prefix")->type_name("")->required();
  }

  void addRepair() {
    CLI::App& repair = addWithState(Command::Repair, "repair", "Restore recorded state that is missing in the kernel");
    repair.add_flag("--dry-run", arguments_.dryRun, "Only list what is missing; exit code 1 if any");
  }

  void addGc() {
    CLI::App& gc = addWithConfigs(Command::Gc, "gc", "Find leftovers of containers that no longer exist");
    gc.add_option("network", arguments_.network, "Only this network")->type_name("");
    gc.add_flag("--delete", arguments_.deletes, "Delete the leftovers (without: list them; exit code 1 if any)");
  }

  void addExplain() {
    CLI::App& explain = addWithState(Command::Explain, "explain", "Explain and validate a configuration");
    explain.add_option("file", arguments_.subject, "A network configuration, or a list of plugins")
        ->type_name("")
        ->required();
  }

  void addGraph() {
    CLI::App& graph = addWithoutJson(Command::Graph, "graph", "Draw bridges, containers, published ports and uplinks");
    addStateDir(graph);
    graph.add_option("--format", arguments_.format, "dot, or svg (runs dot of graphviz)")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"dot", "svg"}));
  }

  void addHelp() {
    help_ = app_.add_subcommand("help", "Print the help of ponsctl or of one command")->group("Commands");
    help_->add_option("command", helped_, "The command")->type_name("");
  }

  Arguments& arguments_;
  CLI::App app_;
  CLI::App* help_ = nullptr;
  std::string helped_;
};

Answer answerTo(CommandLine& line, const CLI::ParseError& error) {
  auto unexpected = line.app().remaining(true);
  std::erase(unexpected, "--");
  const bool isExtra = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError);
  if (isExtra && !unexpected.empty()) {
    const std::string& first = unexpected.front();
    if (first.starts_with('-')) return misused("unknown option \"" + first + "\"");
    if (line.app().get_subcommands().empty()) return misused(line.unknownCommand(first));
    return misused("unexpected argument \"" + first + "\"");
  }
  std::ostringstream out;
  std::ostringstream err;
  const int status = line.app().exit(error, out, err);
  if (status == 0) return {0, out.str(), {}};
  return {kMisused, {}, "ponsctl: " + err.str()};
}

}  // namespace

std::variant<Arguments, Answer> parse(int argc, const char* const* argv, const Arguments& defaults) {
  Arguments arguments = defaults;
  CommandLine line{arguments};
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) { return answerTo(line, error); }
  if (auto help = line.help()) return std::move(*help);
  if (line.app().get_subcommands().empty()) return misused("no command given");
  return arguments;
}

}  // namespace pons::ctl
