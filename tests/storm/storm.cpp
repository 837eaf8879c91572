// Many runtimes at once, doing everything that is legal at random and killing what they started.
//   PONS_STORM_SECONDS    how long (default: 8, and 60 with PONS_TEST_LONG=1)
//   PONS_STORM_SEED       a number, to repeat a random sequence
#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>
#include <sstream>
#include <thread>

#include <doctest/doctest.h>

#include "tests/storm/client.h"
#include "tests/storm/observer.h"
#include "tests/storm/setup.h"
#include "tests/support/at_once.h"
#include "tests/support/plan_cases.h"
#include "tests/support/text.h"

using namespace storm;
using support::contentOf;

namespace {

std::optional<std::uint64_t> numberFrom(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? std::nullopt : std::optional{std::strtoull(text, nullptr, 10)};
}

std::chrono::seconds duration() {
  const bool longRun = numberFrom("PONS_TEST_LONG").value_or(0) != 0;
  return std::chrono::seconds{numberFrom("PONS_STORM_SECONDS").value_or(longRun ? 60 : 8)};
}

/// The number of operations of each kind and result.
std::map<std::string, int> operations() {
  std::istringstream lines{contentOf(kOperations)};
  std::map<std::string, int> counts;
  for (std::string line; std::getline(lines, line);) ++counts[line];
  return counts;
}

bool client(int number, std::uint64_t seed, std::chrono::steady_clock::time_point end) {
  try {
    Client{number, seed + static_cast<std::uint64_t>(number)}.runUntil(end);
  } catch (const std::exception& problem) { note(kViolations, std::string{"a client: "} + problem.what()); }
  return true;
}

int observe() {
  try {
    for (Observer observer;; std::this_thread::sleep_for(std::chrono::milliseconds{30})) {
      observer.look();
      note(kOperations, "observed");
    }
  } catch (const std::exception& problem) { note(kViolations, std::string{"the observer: "} + problem.what()); }
  return 1;
}

/// Each kind and result that must have occurred.
constexpr std::array kExpected{"ADD 0",      "ADD 7",   "ADD 11", "ADD killed", "DEL 0",
                               "DEL killed", "CHECK 0", "GC 0",   "STATUS 0",   "observed"};

bool hasAllOccurred() {
  auto counts = operations();
  return std::ranges::all_of(kExpected, [&counts](const char* operation) { return counts[operation] > 0; });
}

void collectAll() {
  for (const Network& network : kNetworks) {
    const auto collected =
        support::run({PONS_BINARY}, {.environment = {{"CNI_COMMAND=GC", "CNI_PATH=/"}},
                                     .input = configOf(network, R"("cni.dev/valid-attachments": [])")});
    CHECK_MESSAGE(collected.ok(), collected.out);
  }
}

}  // namespace

TEST_CASE("Storm: with concurrent random verbs nothing has two owners, nothing is lost and nothing is left") {
  REQUIRE_FAKE_HOST(host);
  const std::uint64_t seed = numberFrom("PONS_STORM_SEED").value_or(std::random_device{}());
  MESSAGE("PONS_STORM_SEED=" << seed << " for " << duration().count() << " s");
  host.addOutside();
  for (int number = 0; number < kContainers; ++number) host.addNamespace(containerName(number));
  const auto dump = [&] { return host.dump() + "== ledger\n" + support::dumpLedger(); };
  const std::string before = dump();

  constexpr int kRounds = 5;  // on a busy host the time suffices for few calls
  for (int round = 0; round == 0 || (round < kRounds && !hasAllOccurred()); ++round) {
    {
      const support::ForkedProcess observer{observe};
      const auto end = std::chrono::steady_clock::now() + duration();
      const auto start = seed + static_cast<std::uint64_t>(round * kClients);
      CHECK(support::atOnce(kClients, [&](int number) { return client(number, start, end); }) == kClients);
    }
    Observer{}.look();
    collectAll();  // a client knows of the attachments that it made itself only
  }
  CHECK(support::difference(before, dump()) == "");
  CHECK_MESSAGE(contentOf(kViolations).empty(), contentOf(kViolations));

  for (const auto& [operation, count] : operations()) MESSAGE(operation << ": " << count);
  for (const char* operation : kExpected) CHECK_MESSAGE(operations()[operation] > 0, operation);
}
