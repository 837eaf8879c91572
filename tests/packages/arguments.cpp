// Arguments of scripts. What those for another architecture make is tested by scripts/test (PONS_TEST_LONG), what
// scripts/install does by tests/compat.
#include <doctest/doctest.h>

#include "tests/support/process.h"

using namespace support;

namespace {

Outcome script(const std::string& name, const std::vector<std::string>& arguments) {
  std::vector<std::string> command{PONS_SOURCE_DIR "/scripts/" + name};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return run(command);
}

}  // namespace

TEST_CASE("scripts/package refuses unknown arguments and architectures before it does anything") {
  using Arguments = std::vector<std::string>;
  for (const Arguments& arguments :
       {Arguments{"--arch"}, {"--arch", "s390x"}, {"--arch", "--check"}, {"--chekc"}, {"--arch", "arm64", "more"}}) {
    const Outcome outcome = script("package", arguments);
    CAPTURE(arguments.back());
    CHECK(outcome.exitCode == 2);
    CHECK(outcome.out.empty());
    CHECK_MESSAGE(outcome.err.find("scripts/package --arch arm64") != std::string::npos, outcome.err);
  }
}

TEST_CASE("scripts/install --help prints its usage, which goes to standard error for unknown options") {
  const Outcome help = script("install", {"--help"});
  CHECK(help.ok());
  CHECK(help.err.empty());
  for (const char* option : {"--binary FILE", "--links NAME", "--restore", "--force"}) {
    CHECK_MESSAGE(help.out.find(option) != std::string::npos, help.out);
  }
  const Outcome unknown = script("install", {"--hlep"});
  CHECK(unknown.exitCode == 2);
  CHECK(unknown.out.empty());
  CHECK(unknown.err == help.out);
}

TEST_CASE("scripts/setup --arch takes the architectures that there are presets for") {
  for (const char* architecture : {"", "amd64", "arm64 s390x", "riscv64"}) {
    const Outcome outcome = script("setup", {"--arch", architecture});
    CHECK(outcome.exitCode == 2);
    CHECK(outcome.err == std::string{"setup: --arch takes arm64 or s390x, not \""} + architecture + "\"\n");
  }
  CHECK(script("setup", {"--arch"}).exitCode == 2);
}

TEST_CASE("scripts/test refuses unknown kinds before it does anything") {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"untit"}, {"unit", "kernel", "untit"}}) {
    const Outcome outcome = script("test", arguments);
    CHECK(outcome.exitCode == 2);
    CHECK(outcome.out.empty());
    CHECK_MESSAGE(outcome.err.find("scripts/test tools 'doctor*'") != std::string::npos, outcome.err);
  }
}
