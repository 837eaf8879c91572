// bash completion, which takes its words from --help.
#include <filesystem>

#include <doctest/doctest.h>

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
}
