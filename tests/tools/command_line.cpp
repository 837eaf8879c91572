// The command line of ponsctl: help, versions and usage errors; and pons, which executes it.
#include <filesystem>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/scratch.h"
#include "tests/tools/tool_run.h"

using namespace support;

namespace {

constexpr const char* kMoved = "pons: its commands have moved to ponsctl(8), ";

Outcome plugin(const std::vector<std::string>& argv, const std::vector<std::string>& environment = {}) {
  return run(argv, {.environment = environment, .input = {}});
}

}  // namespace

TEST_CASE("ponsctl help lists the commands, and each command has help of its own") {
  const Outcome help = tool({"help"});
  CHECK(help.ok());
  CHECK(help.err.empty());
  CHECK(tool({"--help"}).out == help.out);
  CHECK(tool({"-h"}).out == help.out);
  for (const std::string command : {"repair", "version", "help"}) {
    CAPTURE(command);
    CHECK(contains(help.out, "\n  " + command + " "));
    const Outcome own = tool({command, "--help"});
    CHECK(own.ok());
    CHECK(contains(own.out, "Usage: ponsctl " + command));
    CHECK(tool({"help", command}).out == own.out);
  }
}

TEST_CASE("Every help fits 80 columns, also where the output is no terminal") {
  const std::string help = tool({"help"}).out;
  std::vector<std::string> commands;
  std::istringstream lines{help.substr(help.find("\nCommands:"))};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("  ") && !line.starts_with("   ")) commands.push_back(line.substr(2, line.find(' ', 2) - 2));
  }
  CHECK(commands.size() >= 13);
  checkWidth(help, 80);
  for (const std::string& command : commands) {
    CAPTURE(command);
    for (const char* columns : {"COLUMNS=80", "COLUMNS=200", "NO_COLOR="}) {
      const Outcome own = tool({"help", command}, {columns});
      CHECK(own.ok());
      checkWidth(own.out, 80);
      for (const char* internal : {"Excludes", "UINT"}) CHECK_MESSAGE(!contains(own.out, internal), own.out);
    }
    checkWidth(tool({command, "--help"}, {"COLUMNS=50"}).out, 50);
  }
}

TEST_CASE("ponsctl version and --version, and pons without arguments, print the release and the CNI versions") {
  const std::string versions = "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n";
  const Outcome version = tool({"version"});
  CHECK(version.ok());
  CHECK(version.out.starts_with("CNI pons plugin v"));
  CHECK(version.out.ends_with(versions));
  CHECK(tool({"--version"}).out == version.out);
  CHECK(plugin({PONS_BINARY}).err == version.out);
  const auto document = jsonOf(tool({"version", "--json"}));
  CHECK(document["cniVersions"].items().size() == 7);
  CHECK(contains(version.out, "v" + std::string{document["version"].string().value()} + "\n"));
}

TEST_CASE("Other users than root are told what the commands need") {
  REQUIRE_FAKE_HOST(host);
  std::filesystem::create_directory("/run/pons");
  std::filesystem::permissions("/run/pons", std::filesystem::perms::owner_all);
  for (const char* command : {"list", "check", "metrics", "doctor"}) {
    const Outcome refused = run({"setpriv", "--reuid", "65534", "--clear-groups", PONSCTL_BINARY, command});
    CHECK(refused.exitCode == 1);
    CHECK_MESSAGE(contains(refused.err, "must be run as root"), refused.err);
  }
}

TEST_CASE("A usage error has exit code 2, a message with a hint on stderr, and no output") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> errors{
      {{}, "no command given"},
      {{"--"}, "no command given"},
      {{"lst"}, "unknown command \"lst\": did you mean \"list\"?"},
      {{"LISST", "--json"}, "unknown command \"LISST\": did you mean \"list\"?"},
      {{"nonsense"}, "unknown command \"nonsense\"\n"},
      {{"help", "dokter"}, "unknown command \"dokter\": did you mean \"doctor\"?"},
      {{"help", "nonsense"}, "unknown command \"nonsense\"\n"},
      {{"--json"}, "unknown option \"--json\""},
      {{"version", "--unknown"}, "unknown option \"--unknown\"\n"},
      {{"list", "--jsno"}, "unknown option \"--jsno\": did you mean \"--json\"?"},
      {{"list", "--netwrk=demo"}, "unknown option \"--netwrk\": did you mean \"--network\"?"},
      {{"gc", "--delet"}, "unknown option \"--delet\": did you mean \"--delete\"?"},
      {{"--verson"}, "unknown option \"--verson\": did you mean \"--version\"?"},
      {{"list", "--sort", "helth"}, "unknown column \"helth\": did you mean \"health\"?"},
      {{"list", "--sort", "nonsense"},
       "unknown column \"nonsense\" (possible: network, pod, container, interface, addresses, ports, age, health)"},
      {{"--json", "list"}, "option \"--json\" stands before the command: it belongs after it"},
      {{"--state-dir", "/run/pons", "show", "c1"}, "option \"--state-dir\" stands before the command"},
      {{"--jsno", "list"}, "unknown option \"--jsno\": did you mean \"--json\"?"},
      {{"list", "--config-dir", "/etc/cni/ned.d"}, "there is no directory \"/etc/cni/ned.d\""},
      {{"doctor", "--config-dir", "/dev/null"}, "there is no directory \"/dev/null\""},
      {{"graph", "--format", "svgg"}, "unknown format \"svgg\": did you mean \"svg\"?"},
      {{"list", "--sort", "\xff\x1b[31m"}, "unknown column \"\\xff\\x1b[31m\""},
      {{"probe", "--timeout", "nan", "c1"}, "invalid timeout \"nan\": must be a number of seconds from 0.01 to 60"},
      {{"probe", "--timeout", "0.001", "c1"}, "invalid timeout \"0.001\""},
      {{"version", "more"}, "unexpected argument \"more\""},
      {{"repair", "--state-dir"}, "--state-dir"},
      {{"show"}, "container"}};
  for (const auto& [arguments, message] : errors) {
    CAPTURE(message);
    const Outcome misused = tool(arguments);
    CHECK(misused.exitCode == 2);
    CHECK(misused.out.empty());
    CHECK_MESSAGE(misused.err.starts_with("ponsctl: "), misused.err);
    CHECK_MESSAGE(contains(misused.err, message), misused.err);
    CHECK_MESSAGE(contains(misused.err, "--help"), misused.err);
  }
}

TEST_CASE("pons with CNI_COMMAND ignores its arguments") {
  const Outcome answered = plugin({PONS_BINARY, "version"}, {"CNI_COMMAND=VERSION"});
  CHECK(answered.ok());
  CHECK(contains(answered.out, "supportedVersions"));
}

TEST_CASE("pons with a command executes ponsctl: the one in its own directory, else the one in PATH") {
  const Outcome beside = plugin({PONS_BINARY, "version"});
  CHECK(beside.ok());
  CHECK(beside.out == tool({"version"}).out);
  CHECK_MESSAGE(beside.err.starts_with(kMoved), beside.err);
  CHECK(plugin({PONS_BINARY, "lst"}).exitCode == 2);

  const Scratch alone;
  const Scratch path;
  std::filesystem::copy_file(PONS_BINARY, alone / "pons");
  std::filesystem::create_symlink(PONSCTL_BINARY, path / "ponsctl");
  const Outcome inPath = plugin({alone / "pons", "version"}, {"PATH=/nonexistent:" + path.path()});
  CHECK(inPath.ok());
  CHECK(inPath.out == beside.out);
  CHECK(inPath.err == beside.err);

  const Outcome neither = plugin({alone / "pons", "list"}, {"PATH=/nonexistent"});
  CHECK(neither.exitCode == 127);
  CHECK(neither.out.empty());
  CHECK_MESSAGE(contains(neither.err, "pons: cannot execute ponsctl: No such file or directory"), neither.err);
}
