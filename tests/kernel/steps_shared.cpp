// What attachments share is a function of those that refer to it: with differing wishes, in every order of joining and
// leaving, and with joins that fail in between.
#include <algorithm>
#include <map>
#include <numeric>

#include <doctest/doctest.h>

#include "netlib/os/sysctl.h"

#include "plugin/firewall/table_transaction.h"

#include "tests/kernel/shared_states.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::Verb;

namespace {

bool hasBrNetfilter() { return netlib::sysctl::read("net/bridge/bridge-nf-call-iptables").ok(); }

/// Fails before the commit, when everything has been applied.
void failToJoin(const std::string& members) {
  pons::Host host = openHost();
  host.beforeStep = [](std::string_view step) -> netlib::Result<> {
    if (step == "commit") return netlib::fail(netlib::Cause::Internal, "the test fails this ADD");
    return {};
  };
  const auto failed = pons::add(Runtime{demoConfig(members)}.request(Verb::Add, "failing"), host);
  REQUIRE(!failed.ok());
  CHECK_MESSAGE(contains(failed.error().message, "the test fails this ADD"), failed.error().message);
}

class Containers {
 public:
  explicit Containers(const SharedState& state) : state_(state) {}

  void join(std::size_t number) {
    CAPTURE(number);
    const auto added = runtimeOf(number).add(containerOf(number));
    REQUIRE_MESSAGE(added.ok(), (added ? "" : added.error().message));
    results_[number] = *added;
    check();
  }
  void leave(std::size_t number) {
    CAPTURE(number);
    const auto gone = runtimeOf(number).del(containerOf(number));
    REQUIRE_MESSAGE(gone.ok(), (gone ? "" : gone.error().message));
    results_.erase(number);
    check();
  }
  /// The kernel has what the rule says, and every container's CHECK agrees.
  void check() const {
    Attached attached;
    for (const auto& [number, result] : results_) {
      attached.insert(number);
      const auto checked = runtimeOf(number).check(containerOf(number), result);
      CHECK_MESSAGE(checked.ok(), (checked ? "" : checked.error().message));
    }
    CHECK(state_.observe() == state_.rule(attached));
  }

 private:
  Runtime runtimeOf(std::size_t number) const { return Runtime{demoConfig(state_.wishes.at(number))}; }

  const SharedState& state_;
  std::map<std::size_t, std::string> results_;
};

/// What nft lists of pons, one word a line: the order of a set's elements means nothing.
std::string rulesetWords() {
  std::string text;
  for (const char* family : {"ip", "ip6", "bridge"}) text += shown({"nft", "-s", "list", "table", family, "pons"});
  std::ranges::replace_if(
      text, [](char c) { return c == ' ' || c == '\t' || c == ','; }, '\n');
  return canonicalLines(text);
}

void rebuildTables(const pons::cni::Request& request) {
  pons::Host host = openHost();
  const pons::Attachment attachment = recordOf(host, request).attachment;
  const auto rebuilt = pons::tables::rebuild(host, attachment);
  REQUIRE_MESSAGE(rebuilt.ok(), rebuilt.error().message);
}

void prepareContainers(FakeHost& host, const SharedState& state) {
  host.addOutside();
  for (const char* name : {"c1", "c2", "c3", "failing"}) host.addNamespace(name);
  if (!state.before.empty()) outputOf({"sh", "-ec", state.before});
}

}  // namespace

TEST_CASE("A shared state is what its rule says of the attached containers, in every order of joining and leaving") {
  for (const SharedState& state : sharedStates()) {
    CAPTURE(state.name);
    REQUIRE_FAKE_HOST(host);
    if (state.name == "br_netfilter" && !hasBrNetfilter()) {
      FakeHost::countSkip("needs br_netfilter");
      continue;
    }
    prepareContainers(host, state);
    std::vector<std::size_t> order(state.wishes.size());
    std::iota(order.begin(), order.end(), 0U);
    bool backwards = false;
    do {
      CAPTURE(order);
      CAPTURE(backwards);
      Containers containers{state};
      for (const std::size_t number : order) containers.join(number);
      std::vector<std::size_t> leaving = order;
      if (backwards) std::ranges::reverse(leaving);
      for (const std::size_t number : leaving) containers.leave(number);
      CHECK(dumpLedger() == "");
      backwards = !backwards;
    } while (std::ranges::next_permutation(order).found);
  }
}

TEST_CASE("A join that fails leaves every shared state as it was, with any attachments") {
  for (const SharedState& state : sharedStates()) {
    CAPTURE(state.name);
    REQUIRE_FAKE_HOST(host);
    if (state.name == "br_netfilter" && !hasBrNetfilter()) continue;
    prepareContainers(host, state);
    for (std::size_t first = 0; first < state.wishes.size(); ++first) {
      CAPTURE(first);
      const std::string empty = dumpAll(host);
      Containers containers{state};
      failToJoin(state.wishes.at(first));
      CHECK(difference(empty, dumpAll(host)) == "");
      containers.join(first);
      const std::string before = dumpAll(host);
      for (std::size_t other = 0; other < state.wishes.size(); ++other) {
        CAPTURE(other);
        if (other == first) continue;
        failToJoin(state.wishes.at(other));
        CHECK(difference(before, dumpAll(host)) == "");
        containers.check();
      }
      containers.leave(first);
      CHECK(difference(empty, dumpAll(host)) == "");
    }
  }
}

TEST_CASE("A rebuild of the tables gives what the joins gave") {
  for (const SharedState& state : sharedStates()) {
    CAPTURE(state.name);
    REQUIRE_FAKE_HOST(host);
    if (state.name == "br_netfilter" && !hasBrNetfilter()) continue;
    prepareContainers(host, state);
    Containers containers{state};
    for (std::size_t number = 0; number < state.wishes.size(); ++number) containers.join(number);
    if (!state.before.empty()) continue;  // of the host's own rules
    const std::string before = rulesetWords();
    outputOf({"nft", "flush", "ruleset"});
    rebuildTables(Runtime{demoConfig(state.wishes.front())}.request(Verb::Add, "c1"));
    CHECK(difference(before, rulesetWords()) == "");
    containers.check();
    for (std::size_t number = 0; number < state.wishes.size(); ++number) containers.leave(number);
  }
}
