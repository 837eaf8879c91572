// What an attachment costs in rules, and that it is all there or not at all.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>
#include <sys/syscall.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/text.h"
#include "tests/support/tracer.h"

using namespace support;

namespace {

const std::string kDualStack = R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00:42::/64"}]]})";

std::string publishing(int hostPort) {
  return configOf("1.1.0", kDualStack + R"(, "portMappings": [{"hostPort": )" + std::to_string(hostPort) +
                               R"(, "containerPort": 80}])");
}

Subject subjectOf(FakeHost& host, const std::string& id) { return {.container = id, .netns = host.addNamespace(id)}; }

/// Lines of the ruleset that are rules: not tables, chains, sets or their elements.
std::size_t countRules() {
  const std::string rules = outputOf({"nft", "-s", "list", "ruleset"});
  std::size_t count = 0;
  for (const std::string_view statement : {"masquerade", "return", "drop", "dnat", "jump forwards", "vmap"}) {
    for (std::size_t at = rules.find(statement); at != std::string::npos; at = rules.find(statement, at + 1)) ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("The number of rules of a network does not grow with its containers") {
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  const std::vector subjects{subjectOf(host, "c1"), subjectOf(host, "c2"), subjectOf(host, "c3")};
  resultOf(add(publishing(8081), subjects[0]));
  const std::size_t withOne = countRules();
  REQUIRE(withOne > 8);
  resultOf(add(publishing(8082), subjects[1]));
  resultOf(add(publishing(8083), subjects[2]));
  CHECK(countRules() == withOne);
  for (const Subject& subject : subjects) checkSilent(del(publishing(8080), subject));
}

TEST_CASE("A port that cannot be published in one family is published in none") {
  REQUIRE_FAKE_HOST(host);
  resultOf(add(publishing(8081), subjectOf(host, "c0")));
  const Subject subject = subjectOf(host, "c1");
  // A map of our name that takes no such elements.
  outputOf({"nft",
            "flush chain ip6 pons forwards; delete map ip6 pons forwards_any; "
            "add map ip6 pons forwards_any { type mark : mark; }"});
  const Outcome outcome = add(publishing(8080), subject);
  CHECK(outcome.exitCode != 0);
  documentOf(outcome);
  const std::string published = outputOf({"nft", "list", "map", "ip", "pons", "forwards_any"});
  CHECK(published.find("8081") != std::string::npos);
  CHECK(published.find("8080") == std::string::npos);
  CHECK(outputOf({"find", "/run/pons", "-name", "*8080*", "-o", "-name", "c1*"}).empty());
}

TEST_CASE("Neither ADD nor DEL runs a program") {
  if (!canTrace()) return FakeHost::countSkip();
  REQUIRE_FAKE_HOST(host);
  const Subject subject = subjectOf(host, "c1");
  for (const std::string verb : {"ADD", "DEL"}) {
    const RunOptions options{.environment = environmentOf(verb, subject), .input = publishing(8080)};
    const TracedOutcome traced = runTraced({PONS_BINARY}, options, {});
    REQUIRE_MESSAGE(traced.outcome.ok(), traced.outcome.out);
    REQUIRE(traced.calls.size() > 20);
    std::vector<long> starting{SYS_execve, SYS_execveat, SYS_clone, SYS_clone3};
#ifdef SYS_fork  // not where clone() came first, as on arm64
    starting.insert(starting.end(), {SYS_fork, SYS_vfork});
#endif
    CHECK(std::ranges::none_of(traced.calls,
                               [&](const TracedCall& call) { return std::ranges::count(starting, call.number) > 0; }));
  }
}

TEST_CASE("What nft lists of pons' tables it reads back as the same: they survive a saved ruleset") {
  REQUIRE_FAKE_HOST(host);
  // 1.0.6 cannot read the rules of allowFrom: "ct original proto-dst" has no type there.
  const std::string restricted =
      contains(outputOf({"nft", "--version"}), "v1.0.6 ")
          ? ""
          : R"({"hostPort": 8443, "containerPort": 443, "allowFrom": ["192.0.2.0/23", "2001:db8::/33"]}, )";
  const std::string config = configOf(
      "1.1.0", kDualStack + R"(, "dns": {"nameservers": ["192.0.2.53", "fd00::53"]}, "ingressPolicy": "same-bridge",
      "egressPolicy": {"allowedCidrs": ["192.0.2.0/24", "192.0.3.0/24", "2001:db8::/32"], "allowedTcpPorts": [443, 80]},
      "portMappings": [)" +
                   restricted + R"({"hostPort": 8080, "containerPort": 80, "protocol": "udp"},
                       {"hostPort": 8080, "containerPort": 80, "hostIP": "127.0.0.1"}])");
  resultOf(add(config, subjectOf(host, "c1")));
  const std::string saved = outputOf({"nft", "-s", "list", "ruleset"});
  REQUIRE(saved.find("table bridge pons") != std::string::npos);
  const std::string elsewhere = host.addNamespace("elsewhere");
  const std::string read = host.inside(elsewhere, [&] {
    const Outcome loaded = run({"nft", "-f", "-"}, {.environment = {}, .input = saved});
    CHECK_MESSAGE(loaded.ok(), loaded.err);
    return outputOf({"nft", "-s", "list", "ruleset"});
  });
  CHECK(read == saved);
}
