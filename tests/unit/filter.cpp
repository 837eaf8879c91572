#include <doctest/doctest.h>

#include "netlib/filter/iptables.h"
#include "netlib/values/packet_filter.h"

using netlib::iptables::parseFilterTable;
namespace filter = netlib::filter;
using filter::Verdict;

namespace {

/// What becomes of a packet, by the words of "iptables -S".
bool drops(const std::string& text) {
  const auto table = parseFilterTable(text);
  const auto rulesOf = [&table](const std::string& chain) -> netlib::Result<std::vector<filter::Rule>> {
    std::vector<filter::Rule> rules;
    for (const auto& line : table.chains.at(chain)) rules.push_back(line.rule);
    return rules;
  };
  const auto answer = filter::drops("FORWARD", table.forwardPolicyDrops, rulesOf);
  REQUIRE(answer.ok());
  return *answer;
}

const std::string kAccepting = "-P INPUT DROP\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n-N user\n-N deep\n";
const std::string kDropping = "-P INPUT ACCEPT\n-P FORWARD DROP\n-P OUTPUT ACCEPT\n-N user\n-N deep\n";

}  // namespace

TEST_CASE("A chain drops what no condition speaks of by its policy or by a rule without conditions") {
  const std::pair<const char*, bool> ofAccepting[] = {
      {"", false},
      {"-A FORWARD -j DROP\n", true},
      {"-A FORWARD -j REJECT --reject-with icmp-port-unreachable\n", true},
      {"-A FORWARD -m comment --comment \"the \\\"rest\\\"\" -j DROP\n", true},
      {"-A FORWARD -i eth0 -j DROP\n", false},
      {"-A FORWARD ! -i eth0 -m comment --comment x -j DROP\n", false},
      {"-A FORWARD -j ACCEPT\n-A FORWARD -j DROP\n", false},
      {"-A FORWARD -j LOG --log-prefix \"-j DROP\"\n", false},
      {"-A FORWARD -m conntrack --ctstate INVALID -j DROP\n", false},
      {"-A FORWARD -j user\n-A user -j deep\n-A deep -j DROP\n", true},
      {"-A FORWARD -j user\n-A user -s 10.0.0.0/8 -j deep\n-A deep -j DROP\n", false},
      {"-A FORWARD -j user\n-A FORWARD -j DROP\n-A user -j RETURN\n-A user -j ACCEPT\n", true},
      {"-A FORWARD -g user\n-A FORWARD -j DROP\n-A user -j RETURN\n", false},
      {"-A FORWARD\n-A FORWARD -j DROP\n", true},
  };
  for (const auto& [rules, expected] : ofAccepting) {
    CAPTURE(rules);
    CHECK(drops(kAccepting + rules) == expected);
  }
  CHECK(drops(kDropping));
  CHECK(drops(kDropping + "-A FORWARD -i eth0 -j ACCEPT\n"));
  CHECK(drops(kDropping + "-A FORWARD -g user\n-A FORWARD -j ACCEPT\n"));
  CHECK_FALSE(drops(kDropping + "-A FORWARD -j ACCEPT\n"));
  CHECK_FALSE(drops(kDropping + "-A FORWARD -j user\n-A user -j ACCEPT\n"));
}

TEST_CASE("A rule of iptables is known with its text, its comment and its target") {
  const auto table = parseFilterTable(kDropping +
                                      "-A FORWARD -i br0 -m comment --comment \"pons forward br0\" -j ACCEPT\n"
                                      "-A FORWARD -m comment --comment bare -g user\n");
  const auto& lines = table.chains.at("FORWARD");
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].text == "-A FORWARD -i br0 -m comment --comment \"pons forward br0\" -j ACCEPT");
  CHECK(lines[0].rule.comment == "pons forward br0");
  CHECK(lines[0].rule.conditional);
  CHECK(lines[0].rule.verdict == Verdict::Accept);
  CHECK(lines[1].rule.comment == "bare");
  CHECK_FALSE(lines[1].rule.conditional);
  CHECK(lines[1].rule.verdict == Verdict::Goto);
  CHECK(lines[1].rule.target == "user");
  CHECK(table.chains.contains("deep"));
}

TEST_CASE("Chains that jump in a circle are an error, and not for ever") {
  const auto rulesOf = [](const std::string&) -> netlib::Result<std::vector<filter::Rule>> {
    return std::vector<filter::Rule>{{.verdict = Verdict::Jump, .target = "again"}};
  };
  CHECK(filter::drops("again", true, rulesOf).failedWith(ELOOP));
}
