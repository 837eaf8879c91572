#include "plugin/ctl/command_line.h"

#include <sstream>

#include <CLI/CLI.hpp>

#include "plugin/cni/applet.h"

namespace pons::tools {

namespace {

constexpr const char* kAbout =
    "pons gives containers their place on a Linux bridge. Called by a container\n"
    "runtime with CNI_COMMAND it is a CNI plugin; called with arguments it tells what\n"
    "it knows and mends what others broke.";

constexpr const char* kExitCodes =
    "Exit codes: 0, all is well or was mended; 1, something is broken or failed;\n"
    "2, the arguments make no sense.";

/// Each command's own options; what all have is added in add().
class CommandLine {
 public:
  explicit CommandLine(Arguments& arguments) : arguments_(arguments), app_(kAbout, "pons") {
    app_.require_subcommand(0, 1);  // what is no command is then called unexpected, by its name
    app_.set_help_flag("-h,--help", "Print this help");
    std::string versions = cni::aboutText(cni::Applet::Pons);
    versions.pop_back();  // CLI11 ends the line
    app_.set_version_flag("--version", versions, "Print the versions, as the command does");
    app_.footer(kExitCodes);
    app_.get_formatter()->label("SUBCOMMAND", "COMMAND");
    addWithState(Command::List, "list", "List the attachments of all networks");
    addShow();
    addWithConfigs(Command::Networks, "networks", "List the networks: how full their pools and bridges are");
    addWithState(Command::Check, "check", "Look whether all that is on record is there");
    addRepair();
    addGc();
    addExplain();
    addWithConfigs(Command::Doctor, "doctor", "Look what on this host is in the way of containers");
    addGraph();
    addWithConfigs(Command::Metrics, "metrics", "Print numbers for Prometheus");
    addHelp();
    add(Command::Version, "version", "Print the versions of pons and of CNI");
  }

  CLI::App& app() { return app_; }
  /// Of "pons help [COMMAND]", where that was asked for.
  std::optional<std::string> help() const {
    if (!help_->parsed()) return std::nullopt;
    const CLI::App* about = helped_.empty() ? &app_ : app_.get_subcommand(helped_);
    const std::string name = helped_.empty() ? "pons" : "pons " + helped_;
    return about->get_formatter()->make_help(about, name, CLI::AppFormatMode::Normal);
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
    to.add_option("--state-dir", arguments_.stateDir, "The ledger (PONS_STATE_DIR, else /run/pons)")->type_name("DIR");
  }

  CLI::App& addWithState(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = add(command, name, what);
    addStateDir(added);
    return added;
  }

  CLI::App& addWithConfigs(Command command, const std::string& name, const std::string& what) {
    CLI::App& added = addWithState(command, name, what);
    added.add_option("--config-dir", arguments_.configDir, "The networks' configurations (/etc/cni/net.d)")
        ->type_name("DIR");
    return added;
  }

  void addShow() {
    CLI::App& show = addWithState(Command::Show, "show", "Show everything about one container");
    show.add_option("container", arguments_.subject, "Its id, or how it begins")->type_name("")->required();
  }

  void addRepair() {
    CLI::App& repair = addWithState(Command::Repair, "repair", "Bring back what is on record and gone in the kernel");
    repair.add_flag("--dry-run", arguments_.dryRun, "Only say what is missing; exit code 1 if any is");
  }

  void addGc() {
    CLI::App& gc = addWithConfigs(Command::Gc, "gc", "Find what dead containers and lost records left behind");
    gc.add_option("network", arguments_.network, "Of this network only")->type_name("");
    gc.add_flag("--delete", arguments_.deletes, "Take it away; without it exit code 1 if there is any");
  }

  void addExplain() {
    CLI::App& explain = addWithState(Command::Explain, "explain", "Say what a configuration means, and check it");
    explain.add_option("file", arguments_.subject, "A configuration, or a list of plugins")->type_name("")->required();
  }

  void addGraph() {
    CLI::App& graph = addWithoutJson(Command::Graph, "graph", "Draw bridges, containers, ports and ways out");
    addStateDir(graph);
    graph.add_option("--format", arguments_.format, "dot, or svg by graphviz (dot)")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"dot", "svg"}));
  }

  void addHelp() {
    help_ = app_.add_subcommand("help", "Print the help of pons or of one command")->group("Commands");
    help_->add_option("command", helped_, "Which one")->type_name("")->check([this](const std::string& name) {
      const auto known = app_.get_subcommands([&name](const CLI::App* command) { return command->get_name() == name; });
      return known.empty() ? "there is no command \"" + name + "\"" : std::string{};
    });
  }

  Arguments& arguments_;
  CLI::App app_;
  CLI::App* help_ = nullptr;
  std::string helped_;
};

Answer answerTo(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream out;
  std::ostringstream err;
  const int status = app.exit(error, out, err);
  if (status == 0) return {0, out.str(), {}};
  return {kMisused, {}, "pons: " + err.str()};
}

}  // namespace

std::variant<Arguments, Answer> parse(int argc, const char* const* argv, const Arguments& defaults) {
  Arguments arguments = defaults;
  CommandLine line{arguments};
  try {
    line.app().parse(argc, argv);
  } catch (const CLI::ParseError& error) { return answerTo(line.app(), error); }
  if (auto help = line.help()) return Answer{0, std::move(*help), {}};
  if (line.app().get_subcommands().empty()) return Answer{kMisused, {}, "pons: a command is missing, see --help\n"};
  return arguments;
}

}  // namespace pons::tools
