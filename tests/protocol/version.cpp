// What the program says of itself, and the commands themselves.
#include <regex>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

std::string versionsFor(const std::string& asked) {
  return R"({"cniVersion":")" + asked +
         R"(","supportedVersions":["0.1.0","0.2.0","0.3.0","0.3.1","0.4.0","1.0.0","1.1.0"]})" + "\n";
}

Outcome callWith(const std::vector<std::string>& environment, const std::string& input = {}) {
  return run({PONS_BINARY}, {.environment = environment, .input = input});
}

}  // namespace

TEST_CASE("VERSION answers with the version that it was asked with, the newest where stdin has none") {
  const std::vector<std::pair<std::string, std::string>> answers{
      {R"({"cniVersion":"0.4.0"})", "0.4.0"},
      {R"({"cniVersion":"0.1.0"})", "0.1.0"},
      {R"({"cniVersion":"1.0.0", "name": "demo", "type": "pons"})", "1.0.0"},
      {R"({"cniVersion":"1.1.0"})", "1.1.0"},
      {R"({"cniVersion":"9.2.0"})", "9.2.0"},
      {"", "1.1.0"},
      {"{}", "1.1.0"},
      {"no JSON", "1.1.0"},
      {R"({"cniVersion":"0.4.0")", "1.1.0"},
      {R"({"cniVersion":4})", "1.1.0"},
      {R"({"cniVersion":""})", "1.1.0"},
      {R"({"cniVersion":"1.0.0\n"})", "1.1.0"},
      {std::string(5'000'000, 'x'), "1.1.0"}};
  for (const auto& [input, version] : answers) {
    CAPTURE(input.substr(0, 100));
    const Outcome outcome = call("VERSION", input, {.container = "", .netns = "dummy", .ifName = "dummy"});
    CHECK(outcome.ok());
    CHECK(outcome.out == versionsFor(version));
    CHECK(outcome.err.empty());
  }
  CHECK(callWith({"CNI_COMMAND=VERSION"}).out == versionsFor("1.1.0"));
}

TEST_CASE("Without a command the program prints its version on stderr in the format that nerdctl parses") {
  for (const std::vector<std::string>& environment : {std::vector<std::string>{}, {"CNI_COMMAND="}}) {
    const Outcome outcome = callWith(environment, "whatever");
    CHECK(outcome.ok());
    CHECK(outcome.out.empty());
    CHECK(std::regex_match(outcome.err, std::regex{"CNI pons plugin v[0-9]+\\.[0-9]+\\.[0-9]+\n"
                                                   "CNI protocol versions supported: "
                                                   "0\\.1\\.0, 0\\.2\\.0, 0\\.3\\.0, 0\\.3\\.1, 0\\.4\\.0, 1\\.0\\.0, "
                                                   "1\\.1\\.0\n"}));
  }
}

TEST_CASE("An unknown CNI command is refused by its name") {
  for (const std::string command : {"add", "ADD ", "REPAIR", "\xff"}) {
    checkError(call(command, "{}"), ErrorCode::InvalidEnvironment, {"unknown CNI_COMMAND: "});
  }
  checkError(call("REPAIR", "{}"), ErrorCode::InvalidEnvironment, {"unknown CNI_COMMAND: REPAIR"});
}

TEST_CASE("GC and STATUS with a version that does not have them are refused") {
  for (const std::string verb : {"GC", "STATUS"}) {
    checkError(call(verb, configOf("1.0.0", ""), {.container = "", .netns = "", .ifName = ""}),
               ErrorCode::IncompatibleVersion, {"does not allow " + verb});
  }
}
