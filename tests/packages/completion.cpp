// bash completion, which takes its words from --help.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"

using namespace support;

namespace {

/// The completions of the last of these words.
std::string completions(const std::vector<std::string>& words) {
  std::vector<std::string> argv{"bash", "-c",
                                R"(source "$0"
                                   COMP_WORDS=(ponsctl "$@") COMP_CWORD=$#
                                   _ponsctl 2>/dev/null
                                   echo "${COMPREPLY[*]}")",
                                PONS_SOURCE_DIR "/scripts/completion/ponsctl"};
  argv.insert(argv.end(), words.begin(), words.end());
  const std::string path = std::filesystem::path{PONSCTL_BINARY}.parent_path().string();
  const Outcome outcome = run(argv, {.environment = {{"PATH=" + path + ":/usr/bin:/bin"}}, .input = {}});
  REQUIRE_MESSAGE(outcome.ok(), outcome.err);
  return outcome.out;
}

}  // namespace

TEST_CASE("bash completes the commands and their options") {
  CHECK(completions({"li"}) == "list\n");
  CHECK(completions({"repair", "--dry"}) == "--dry-run\n");
  CHECK(completions({"probe", "--time"}) == "--timeout\n");
  CHECK(completions({"repair", "--nothing"}) == "\n");
  CHECK(completions({"list", "--bro"}) == "--broken\n");
  CHECK(completions({"list", "--sort", "ad"}) == "addresses\n");
  CHECK(completions({"graph", "--format", "t"}) == "text\n");
  CHECK(completions({"help", "doc"}) == "doctor\n");
}

TEST_CASE("On a host: bash completes containers and networks") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const Outcome added =
      run({PONS_BINARY},
          {.environment = {{"CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_NETNS=/run/netns/c1", "CNI_IFNAME=eth0"}},
           .input = R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "ipam": {"subnet": "10.42.0.0/24"}})"});
  REQUIRE_MESSAGE(added.ok(), added.out);
  for (const std::string command : {"show", "probe", "policy", "check"}) {
    CHECK_MESSAGE(completions({command, "c"}) == "c1\n", command);
  }
  for (const std::string command : {"gc", "check", "explain"}) {
    CHECK_MESSAGE(completions({command, "dem"}) == "demo\n", command);
  }
  CHECK(completions({"list", "--network", "de"}) == "demo\n");
}
