#include "plugin/migration/iptables_program.h"

#include <doctest/doctest.h>

using namespace pons;

TEST_CASE("a rule of iptables is read with its quotes, and deleted by its own line") {
  const std::string line =
      R"(-A POSTROUTING -s 10.88.0.2/32 -m comment --comment "name: \"a \\ b\" id: \"c1\"" -j CNI-b60a)";
  const auto rule = parseIptablesRule(line, "POSTROUTING");
  REQUIRE(rule.ok());
  CHECK(rule->option("-s") == "10.88.0.2/32");
  CHECK(rule->option("--comment") == R"(name: "a \ b" id: "c1")");
  CHECK(rule->option("-j") == "CNI-b60a");
  CHECK(rule->option("-d") == "");
  CHECK(deletionOf(*rule) == "-D" + line.substr(2));
}

TEST_CASE("a negated option is not the option") {
  const auto rule = parseIptablesRule("-A CNI-b60a ! -d 224.0.0.0/4 -j MASQUERADE", "CNI-b60a");
  REQUIRE(rule.ok());
  CHECK(rule->option("-d") == "");
  CHECK(rule->option("-j") == "MASQUERADE");
}

TEST_CASE("an option at the end has no value, and an empty text in quotes is one") {
  const auto rule = parseIptablesRule(R"(-A X --comment "" -j)", "X");
  REQUIRE(rule.ok());
  CHECK(rule->words == std::vector<std::string>{"-A", "X", "--comment", "", "-j"});
  CHECK(rule->option("-j") == "");
}

TEST_CASE("what is no rule of the chain is an error") {
  for (const char* line : {"", "-A", "-A OTHER -j X", "-I CHAIN -j X", "Warning!"}) {
    CAPTURE(line);
    CHECK(parseIptablesRule(line, "CHAIN").failedWith(EBADMSG));
  }
}
