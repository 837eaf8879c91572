#include "plugin/tool.h"

#include <array>

#include <getopt.h>

#include "plugin/cni/settings.h"
#include "plugin/repair.h"

namespace pons {

namespace {

constexpr int kFailed = 1;
constexpr int kMisused = 2;

constexpr const char* kUsage =
    "usage: pons repair [--dry-run] [--state-dir DIR]\n"
    "\n"
    "Brings back everything on record that is missing in the kernel: bridges, gateway addresses, forwarding,\n"
    "nf_tables. With --dry-run it only says what is missing.\n"
    "\n"
    "  --dry-run          change nothing; exit code 1 where something is missing\n"
    "  --state-dir DIR    where the ledger is (default: PONS_STATE_DIR, else /run/pons)\n"
    "\n"
    "Without arguments pons is a CNI plugin: a container runtime calls it with CNI_COMMAND.\n";

struct Arguments {
  RepairMode mode = RepairMode::Mend;
  std::string stateDir;
  bool help = false;
};

std::optional<Arguments> parse(int argc, char** argv, Arguments arguments) {
  constexpr std::array<option, 4> kOptions{{{"dry-run", no_argument, nullptr, 'n'},
                                            {"state-dir", required_argument, nullptr, 's'},
                                            {"help", no_argument, nullptr, 'h'},
                                            {nullptr, 0, nullptr, 0}}};
  opterr = 0;  // the usage says more than getopt's own words
  for (int found = 0; (found = getopt_long(argc, argv, "", kOptions.data(), nullptr)) != -1;) {
    switch (found) {
      case 'n':
        arguments.mode = RepairMode::Look;
        break;
      case 's':
        arguments.stateDir = optarg;
        break;
      case 'h':
        arguments.help = true;
        break;
      default:
        return std::nullopt;
    }
  }
  const bool isRepair = optind + 1 == argc && std::string_view{argv[optind]} == "repair";
  return isRepair || arguments.help ? std::optional{arguments} : std::nullopt;
}

netlib::Result<std::vector<Finding>> openAndRepair(const Arguments& arguments) {
  auto ledger = TRY(Ledger::open(arguments.stateDir, cni::Settings{}.lockTimeout));
  Host host = TRY(Host::open(std::move(ledger)));
  return repair(host, arguments.mode);
}

Answer report(const std::vector<Finding>& findings, RepairMode mode) {
  Answer answer{0, {}, {}};
  for (const Finding& finding : findings) {
    const bool broken = mode == RepairMode::Look || !finding.reason.empty();
    answer.out += (broken ? "broken: " : "mended: ") + finding.what;
    answer.out += finding.reason.empty() ? "\n" : " (" + finding.reason + ")\n";
    if (broken) answer.exitCode = kFailed;
  }
  if (findings.empty()) answer.out = "nothing is missing\n";
  return answer;
}

}  // namespace

Answer runTool(int argc, char** argv, const cni::Environment& environment) {
  const Arguments defaults{.stateDir = environment.stateDir.empty() ? cni::Settings{}.stateDir : environment.stateDir};
  const auto arguments = parse(argc, argv, defaults);
  if (!arguments) return {kMisused, {}, kUsage};
  if (arguments->help) return {0, kUsage, {}};
  const auto findings = openAndRepair(*arguments);
  if (!findings) return {kFailed, {}, "pons repair: " + findings.error().message + "\n"};
  return report(*findings, arguments->mode);
}

}  // namespace pons
