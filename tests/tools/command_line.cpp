// The arguments of pons as a tool: help, versions, and what is misunderstood.
#include <doctest/doctest.h>

#include "tests/tools/tool_run.h"

using namespace support;

TEST_CASE("pons help lists the commands, and each command has a help of its own") {
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
    CHECK(contains(own.out, "Usage: pons " + command));
    CHECK(tool({"help", command}).out == own.out);
  }
}

TEST_CASE("pons version, --version and a call without arguments tell the release and the versions of CNI") {
  const std::string versions = "CNI protocol versions supported: 0.1.0, 0.2.0, 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n";
  const Outcome version = tool({"version"});
  CHECK(version.ok());
  CHECK(version.out.starts_with("CNI pons plugin v"));
  CHECK(version.out.ends_with(versions));
  CHECK(tool({"--version"}).out == version.out);
  CHECK(tool({}).err == version.out);
  const auto document = jsonOf(tool({"version", "--json"}));
  CHECK(document["cniVersions"].items().size() == 7);
  CHECK(contains(version.out, "v" + std::string{document["version"].string().value()} + "\n"));
}

TEST_CASE("What cannot be understood ends with exit code 2, a word on stderr and nothing on stdout") {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"nonsense"},
                                                {"--json"},
                                                {"--"},
                                                {"version", "--unknown"},
                                                {"version", "more"},
                                                {"help", "nonsense"},
                                                {"repair", "--state-dir"}}) {
    CAPTURE(wrong.front());
    const Outcome misused = tool(wrong);
    CHECK(misused.exitCode == 2);
    CHECK(misused.out.empty());
    CHECK_MESSAGE(misused.err.starts_with("pons: "), misused.err);
    CHECK_MESSAGE(contains(misused.err, "--help"), misused.err);
  }
}

TEST_CASE("With CNI_COMMAND the arguments are none: a runtime is answered as ever") {
  const Outcome asked =
      run({PONS_BINARY, "version"}, {.environment = std::vector<std::string>{"CNI_COMMAND=VERSION"}, .input = {}});
  CHECK(asked.ok());
  CHECK(contains(asked.out, "supportedVersions"));
}
