#include "plugin/ctl/command_line.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

#include "netlib/base/utf8.h"

#include "plugin/cni/applet.h"
#include "plugin/ctl/commands.h"
#include "plugin/ctl/format.h"
#include "plugin/ctl/list.h"
#include "plugin/ctl/option_values.h"
#include "plugin/ctl/table.h"

namespace pons::ctl {

namespace {

constexpr const char* kAbout =
    "ponsctl shows and repairs the network state that pons, a CNI plugin which connects "
    "containers to a Linux bridge, has set up on this host.";

constexpr const char* kExitCodes =
    "Exit codes: 0, no faults, or all repaired; 1, faults found or command failed;\n"
    "2, usage error.";

const std::string kSubjects = "ID or unique prefix, pod, address, host port, namespace, host interface, or network";

Answer misused(const std::string& message) {
  return {kMisused, {}, "ponsctl: " + netlib::printable(message) + "\nRun with --help for more information.\n"};
}

/// Refuses all other values of an option.
CLI::Validator oneOf(const std::string& what, const std::vector<std::string>& known) {
  const auto refuse = [what, known](const std::string& word) {
    const bool isKnown = std::ranges::find(known, word) != known.end();
    return isKnown ? "" : unknownWord(what, word, known) + " (possible: " + joined(known) + ")";
  };
  return {refuse, ""};
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
    app_.get_formatter()->label("Excludes", "Not with");
    addList();
    add(show, "show", "Show everything about one container, or those of a network", kAll | kSubject);
    add(networks, "networks", "List the networks: same as list --networks", kAll);
    addCheck();
    addRepair();
    addGc();
    addExplain();
    add(doctor, "doctor", "Find problems of this host that affect containers", kAll);
    addPolicy();
    addProbe();
    addGraph();
    add(metrics, "metrics", "Print metrics for Prometheus", kJson | kState | kConfigs);
    addWatch();
    addInstallNode();
    addHelp();
    add(version, "version", "Print the versions of pons and of the CNI specification", kJson);
  }

  CLI::App& app() { return app_; }

  /// "ponsctl help [COMMAND]"; nothing for another command.
  std::optional<Answer> help() const {
    if (!help_->parsed()) return std::nullopt;
    if (helped_.empty()) {  // not app_.help(), which prints the help of the parsed command
      return helpOf(app_.get_formatter()->make_help(&app_, "ponsctl", CLI::AppFormatMode::Normal));
    }
    const auto commands = app_.get_subcommands([this](const CLI::App* one) { return one->get_name() == helped_; });
    if (commands.empty()) return misused(unknownWord("command", helped_, commandNames()));
    return helpOf(commands.front()->help("ponsctl"));
  }

  Answer helpOf(const std::string& text) const {
    return {0, hanging(text, std::min(arguments_.terminal.width, Terminal{}.width)), {}};
  }

  std::vector<std::string> commandNames() const {
    std::vector<std::string> names;
    for (const CLI::App* command : app_.get_subcommands({})) names.push_back(command->get_name());
    return names;
  }

  /// Of the given command, else those without one.
  std::vector<std::string> optionNames() const {
    const auto given = app_.get_subcommands();
    std::vector<std::string> names;
    for (const CLI::Option* option : (given.empty() ? &app_ : given.front())->get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
  }

 private:
  /// Options that several commands have.
  enum Shared : unsigned { kJson = 1, kState = 2, kConfigs = 4, kWide = 8, kAll = 15, kSubject = 16 };

  CLI::App& add(Run run, const std::string& name, const std::string& what, unsigned shared) {
    CLI::App& added = *app_.add_subcommand(name, what)->group("Commands");
    added.callback([this, run, name] {
      arguments_.run = run;
      arguments_.command = name;
    });
    const auto directory = [&](const std::string& option, std::string& to, const std::string& text) {
      return added.add_option(option, to, text)->type_name("DIR");
    };
    if ((shared & kJson) != 0) added.add_flag("--json", arguments_.json, "Print JSON");
    if ((shared & kState) != 0) {
      directory("--state-dir", arguments_.stateDir, "Directory of the ledger (PONS_STATE_DIR, else /run/pons)");
    }
    if ((shared & kConfigs) != 0) {
      directory("--config-dir", arguments_.configDir, "Directory of network configurations (/etc/cni/net.d)")
          ->check(CLI::Validator{refuseMissingDirectory, ""});
    }
    if ((shared & kWide) != 0) added.add_flag("--wide", arguments_.terminal.wide, "Print all columns, unabridged");
    if ((shared & kSubject) != 0) {
      added.add_option("container", arguments_.subject, kSubjects)->type_name("")->required();
    }
    return added;
  }

  void addList() {
    CLI::App& added = add(list, "list", "List the attachments of all networks, or the networks", kAll);
    CLI::Option* networks =
        added.add_flag("--networks", arguments_.networks, "List networks, with the usage of their pools and bridges");
    added.add_flag("--broken", arguments_.onlyBroken, "Only attachments with faults")->excludes(networks);
    added.add_option("--network", arguments_.network, "Only this network")->type_name("NAME");
    added
        .add_option("--sort", arguments_.sort,
                    "By " + joined(listColumns()) + " (default: health, those with faults first)")
        ->type_name("COLUMN")
        ->check(oneOf("column", listColumns()))
        ->excludes(networks);
  }

  void addCheck() {
    CLI::App& added = add(check, "check", "Verify attachments against the kernel", kJson | kState | kWide);
    CLI::Option* chosen = added.add_option("container", arguments_.subject, kSubjects + "; else all")->type_name("");
    added.add_flag("--repair", arguments_.repairs, "Restore recorded state that is missing in the kernel")
        ->excludes(chosen);
  }

  void addRepair() {
    CLI::App& added = add(repair, "repair", "Restore recorded state: same as check --repair", kJson | kState | kWide);
    added.add_flag("--dry-run", arguments_.dryRun, "Only list the faults: same as check");
  }

  void addGc() {
    CLI::App& added = add(gc, "gc", "Find leftovers of containers that no longer exist", kAll);
    added.add_option("network", arguments_.network, "Only this network")->type_name("");
    added.add_flag("--delete", arguments_.deletes, "Delete the leftovers (without: list them; exit code 1 if any)");
  }

  void addExplain() {
    CLI::App& added =
        add(explain, "explain", "Explain and validate a configuration, or a key", kJson | kState | kConfigs);
    added
        .add_option("file", arguments_.subject,
                    "A network configuration file, the name of a network, or a key; else all keys")
        ->type_name("");
  }

  void addPolicy() {
    CLI::App& added =
        add(policy, "policy", "Print or replace the egress policy of a running container", kAll | kSubject);
    added
        .add_option(
            "file", arguments_.policyFile,
            "The new policy, a JSON object like the key egressPolicy (-: standard input); else print the policy")
        ->type_name("");
    added.add_option("--network", arguments_.network, "Only of the interface in this network")->type_name("NAME");
    added.add_option("--ifname", arguments_.ifName, "Only of this interface")->type_name("NAME");
  }

  void addProbe() {
    add(probe, "probe", "Send packets from a container, and print where they end", kAll | kSubject)
        .add_option_function<double>(
            "--timeout",
            [this](double seconds) {
              arguments_.timeout = std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1000)};
            },
            "Seconds to wait for each answer (1)")
        ->type_name("SECONDS")
        ->check(CLI::Validator{refuseTimeout, ""});
  }

  void addGraph() {
    CLI::App& added = add(graph, "graph", "Draw bridges, containers, published ports and uplinks", kState);
    added.add_option("--format", arguments_.format, "dot, svg (runs dot of graphviz), or text")
        ->type_name("FORMAT")
        ->check(oneOf("format", {"dot", "svg", "text"}));
  }

  /// From `least` to 3600.
  static void addSeconds(CLI::App& to, const std::string& option, std::chrono::seconds& into, const std::string& text,
                         unsigned least) {
    to.add_option_function<unsigned>(
          option, [&into](unsigned seconds) { into = std::chrono::seconds{seconds}; }, text)
        ->type_name("SECONDS")
        ->check(CLI::Range(least, 3600U).description(""));
  }

  void addWatch() {
    CLI::App& added =
        add(watch, "watch", "Repair and remove leftovers whenever something changed, until SIGTERM", kState | kConfigs);
    addSeconds(added, "--interval", arguments_.interval, "Longest time between two passes, 1 to 3600 (60)", 1);
    added.add_option("--metrics", arguments_.metricsFile, "After each pass write the metrics to this file")
        ->type_name("FILE");
    added.add_flag("--verbose", arguments_.verbose, "Print a line for each pass");
  }

  void addInstallNode() {
    NodeArguments& node = arguments_.node;
    CLI::App& added = add(installNode, "install-node",
                          "Install pons, and a network of its pod CIDRs, on a Kubernetes node", kConfigs);
    added.add_option("--cluster-cidrs", node.clusterCidrs, "CIDRs of all pods, not masqueraded between them")
        ->type_name("CIDRS")
        ->required();
    CLI::Option* own =
        added.add_option("--pod-cidrs", node.podCidrs, "The node's CIDRs (those at the API)")->type_name("CIDRS");
    CLI::Option* name = added.add_option("--node", node.name, "Name of the node, to ask the API")->type_name("NAME");
    own->excludes(name);
    added.add_option("--api", node.api, "Unix socket of kubectl proxy (/run/api/socket)")->type_name("SOCKET");
    addSeconds(added, "--patience", node.patience, "Longest wait for the API's pod CIDRs, 0 to 3600 (120)", 0);
    added.add_option("--plugin-dir", node.pluginDir, "Directory of plugins (/opt/cni/bin)")
        ->type_name("DIR")
        ->check(CLI::Validator{refuseMissingDirectory, ""});
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
    if (first.starts_with('-')) {
      const std::string name = first.substr(0, first.find('='));
      const std::vector<std::string> known = line.optionNames();
      const bool isKnown = std::ranges::find(known, name) != known.end();
      return misused(isKnown ? "option \"" + name + "\" stands before the command: it belongs after it"
                             : unknownWord("option", name, known));
    }
    if (line.app().get_subcommands().empty()) return misused(unknownWord("command", first, line.commandNames()));
    return misused("unexpected argument \"" + first + "\"");
  }
  std::ostringstream out;
  std::ostringstream err;
  const int status = line.app().exit(error, out, err);
  if (status == 0) return error.get_name() == "CallForVersion" ? Answer{0, out.str(), {}} : line.helpOf(out.str());
  std::string text = "ponsctl: ";
  std::istringstream all{err.str()};
  for (std::string one; std::getline(all, one);) text += netlib::printable(one) + "\n";
  return {kMisused, {}, text};
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
