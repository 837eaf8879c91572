// The alerts for Prometheus, by Debian's promtool: their syntax, unit tests, and the metrics that they are about.
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <doctest/doctest.h>

#include "tests/support/fake_host.h"
#include "tests/support/process.h"
#include "tests/support/scratch.h"
#include "tests/support/text.h"

using namespace support;
namespace fs = std::filesystem;

namespace {

const fs::path kSource = PONS_SOURCE_DIR;
const fs::path kRules = kSource / "scripts/prometheus/pons-alerts.yml";

bool hasPromtool() { return fs::exists("/usr/bin/promtool"); }

void checkPromtool(const std::vector<std::string>& arguments, const std::string& input = {}) {
  std::vector<std::string> command{"promtool"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const Outcome outcome = run(command, {.environment = {}, .input = input});
  CHECK_MESSAGE(outcome.ok(), outcome.out << outcome.err);
  CHECK_MESSAGE(outcome.err.empty(), outcome.err);
}

/// What the first group of the pattern matches.
std::set<std::string> allMatches(const std::string& text, const std::string& pattern) {
  const std::regex expression{pattern};
  std::set<std::string> found;
  for (auto match = std::sregex_iterator{text.begin(), text.end(), expression}; match != std::sregex_iterator{};
       ++match) {
    found.insert((*match)[1]);
  }
  return found;
}

}  // namespace

TEST_CASE("the alerts for Prometheus are valid, fire on what they are about, and each has a unit test") {
  if (!hasPromtool()) return FakeHost::countSkip("needs promtool of the package prometheus");
  checkPromtool({"check", "rules", kRules});
  const std::string tests = contentOf(kSource / "tests/packages/alerts_test.yml");
  const Scratch scratch;
  setContent(scratch / "test.yml", std::regex_replace(tests, std::regex{"@RULES@"}, kRules.string()));
  checkPromtool({"test", "rules", scratch / "test.yml"});
  const auto alerts = allMatches(contentOf(kRules), "alert: (\\w+)");
  CHECK(alerts.size() == 7);
  CHECK(allMatches(tests, "\n        alertname: (\\w+)\n        exp_alerts:\n          - exp_labels") == alerts);
}

TEST_CASE("the metrics in the alerts are those of ponsctl(8)") {
  const std::string page = contentOf(kSource / "scripts/man/ponsctl.8");
  const auto known = allMatches(page, "\n\\.It (pons_\\w+) Pq ");
  REQUIRE(known.size() > 10);
  const auto used = allMatches(contentOf(kRules), "\\b(pons_\\w+)");
  CHECK(used.size() > 5);
  for (const std::string& name : used) CHECK_MESSAGE(known.contains(name), name);
}

TEST_CASE("promtool finds nothing wrong with the metrics of an attachment") {
  if (!hasPromtool()) return FakeHost::countSkip("needs promtool of the package prometheus");
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string config = R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "publishedOnly": true,
    "ipam": {"subnet": "10.42.0.0/24"}, "runtimeConfig": {"portMappings":
      [{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "allowFrom": ["10.0.0.0/8"]}]}})";
  const Outcome added =
      run({PONS_BINARY},
          {.environment = std::vector<std::string>{"CNI_COMMAND=ADD", "CNI_CONTAINERID=c1", "CNI_IFNAME=eth0",
                                                   "CNI_NETNS=/run/netns/c1", "CNI_PATH=/x"},
           .input = config});
  REQUIRE_MESSAGE(added.ok(), added.out);
  const Outcome metrics = run({PONSCTL_BINARY, "metrics"});
  REQUIRE_MESSAGE(metrics.ok(), metrics.err);
  checkPromtool({"check", "metrics"}, metrics.out);
}
