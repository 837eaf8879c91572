#include <map>

#include <doctest/doctest.h>

#include "netlib/filter/iptables.h"
#include "netlib/values/packet_filter.h"

using netlib::iptables::parseRule;
namespace filter = netlib::filter;
using filter::Verdict;

TEST_CASE("A rule of iptables is parsed with its quotes, and deleted by its own line") {
  const std::string line =
      R"(-A POSTROUTING -s 10.88.0.2/32 -m comment --comment "name: \"a \\ b\" id: \"c1\"" -j CNI-b60a)";
  const auto rule = parseRule(line, "POSTROUTING");
  REQUIRE(rule.ok());
  CHECK(rule->option("-s") == "10.88.0.2/32");
  CHECK(rule->option("--comment") == R"(name: "a \ b" id: "c1")");
  CHECK(rule->option("-j") == "CNI-b60a");
  CHECK(rule->option("-d") == "");
  CHECK(rule->deletion() == "-D" + line.substr(2));
}

TEST_CASE("A negated option of a rule is ignored; an empty string in quotes is a word") {
  const auto negated = parseRule("-A CNI-b60a ! -d 224.0.0.0/4 -j MASQUERADE", "CNI-b60a");
  REQUIRE(negated.ok());
  CHECK(negated->option("-d") == "");
  CHECK(negated->option("-j") == "MASQUERADE");
  const auto empty = parseRule(R"(-A X --comment "" -j)", "X");
  REQUIRE(empty.ok());
  CHECK(empty->words == std::vector<std::string>{"-A", "X", "--comment", "", "-j"});
  CHECK(empty->option("-j") == "");
}

TEST_CASE("A line that is not a rule of the chain is refused") {
  for (const char* line : {"", "-A", "-A OTHER -j X", "-I CHAIN -j X", "Warning!"}) {
    CAPTURE(line);
    CHECK(parseRule(line, "CHAIN").failedWith(netlib::Cause::Damaged));
  }
}

TEST_CASE("Chains that jump in a circle are an error, and not for ever") {
  const auto rulesOf = [](const std::string&) -> netlib::Result<std::vector<filter::Rule>> {
    return std::vector<filter::Rule>{{.verdict = Verdict::Jump, .target = "again"}};
  };
  CHECK(filter::drops("again", true, rulesOf).failedWith(netlib::Cause::Damaged));
}

TEST_CASE("What becomes of a packet: the rule that drops it, those that drop some like it, and those that may") {
  const std::map<std::string, std::vector<filter::Rule>> chains{
      {"base",
       {{.verdict = Verdict::Drop, .conditional = true, .isNamed = true, .handle = 1},
        {.verdict = Verdict::Drop, .conditional = true, .handle = 2},
        {.verdict = Verdict::Accept, .conditional = true, .handle = 3},
        {.verdict = Verdict::Jump, .target = "passing", .handle = 4},
        {.verdict = Verdict::Jump, .target = "dropping", .isNamed = true, .set = "mine", .handle = 5},
        {.verdict = Verdict::Accept, .handle = 6}}},
      {"passing",
       {{.verdict = Verdict::Jump, .target = "dropping", .conditional = true}, {.verdict = Verdict::Return}}},
      {"dropping", {{.handle = 7}, {.verdict = Verdict::Drop, .handle = 8}}},
      {"accepting", {{.verdict = Verdict::Accept}, {.verdict = Verdict::Drop}}}};
  const auto rulesOf = [&](const std::string& chain) {
    return netlib::Result<std::vector<filter::Rule>>{chains.at(chain)};
  };
  const auto fate = filter::fateOf("base", false, rulesOf).value();
  CHECK(fate.drops);
  REQUIRE(fate.by);
  CHECK(fate.by->chain == "dropping");
  CHECK(fate.by->rule.handle == 8);
  CHECK(fate.by->rule.isNamed);
  CHECK(fate.by->rule.set == "mine");
  REQUIRE(fate.partly.size() == 1);
  CHECK(fate.partly.front().rule.handle == 1);
  CHECK(fate.undecided == 2);
  CHECK(!filter::fateOf("accepting", true, rulesOf).value().drops);
  const auto byPolicy = filter::fateOf("passing", true, rulesOf).value();
  CHECK(byPolicy.drops);
  CHECK(!byPolicy.by);
}
