// bash completion, which takes its words from the program's own help.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/process.h"

using namespace support;

namespace {

/// What bash offers for the last of these words.
std::string offered(const std::vector<std::string>& words) {
  std::vector<std::string> argv{"bash", "-c",
                                R"(source "$0"
                                   COMP_WORDS=(pons "$@") COMP_CWORD=$#
                                   _pons 2>/dev/null
                                   echo "${COMPREPLY[*]}")",
                                PONS_SOURCE_DIR "/scripts/completion/pons"};
  argv.insert(argv.end(), words.begin(), words.end());
  const std::string path = std::filesystem::path{PONS_BINARY}.parent_path().string();
  const Outcome outcome = run(argv, {.environment = {{"PATH=" + path + ":/usr/bin:/bin"}}, .input = {}});
  REQUIRE_MESSAGE(outcome.ok(), outcome.err);
  return outcome.out;
}

}  // namespace

TEST_CASE("bash completes the options of a command") {
  CHECK(offered({"repair", "--dry"}) == "--dry-run\n");
  CHECK(offered({"repair", "--nothing"}) == "\n");
}
