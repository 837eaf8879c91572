// Random sequences of commands over containers whose settings disagree: after each command the kernel is as the model
// says, which knows only who is attached, not in which order they came; and all tools agree about what is damaged.
//   PONS_TEST_LONG=1        10,000 sequences, else 200
//   RC_PARAMS="seed=…"      repeats a run, whose seed is printed where it fails; see rapidcheck's doc/configuration.md
#include <cstdlib>
#include <iostream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/property/commands.h"
#include "tests/support/at_once.h"

namespace {

constexpr int kLongest = 12;

rc::detail::TestParams parameters() {
  rc::detail::TestParams parameters = rc::detail::configuration().testParams;
  const char* longRun = std::getenv("PONS_TEST_LONG");
  const bool isDefault = parameters.maxSuccess == rc::detail::TestParams{}.maxSuccess;
  if (isDefault) parameters.maxSuccess = longRun != nullptr && std::string{longRun} == "1" ? 10'000 : 200;
  return parameters;
}

void runOne() {
  const auto commands = *property::sequences(kLongest);
  property::TestHost host;
  rc::state::runAll(commands, property::Model{}, host);
}

/// Prints the shortest sequence that it finds to fail.
bool holds(const rc::detail::TestParams& parameters) {
  const rc::detail::TestResult result = rc::detail::checkTestable(runOne, rc::detail::TestMetadata{}, parameters);
  if (result.is<rc::detail::SuccessResult>()) return true;
  std::ostringstream text;
  rc::detail::printResultMessage(result, text);
  text << "\nTo repeat it: RC_PARAMS=\"seed=" << parameters.seed << "\"\n";
  std::cerr << text.str() << std::flush;
  return false;
}

}  // namespace

TEST_CASE("Whatever comes and goes in whichever order, the kernel is a function of who is attached, and repaired") {
  if (!support::FakeHost::possible()) return support::FakeHost::countSkip();
  rc::detail::TestParams all = parameters();
  // At once, each on hosts of its own: most of the time is the kernel's, which removes links when it likes.
  constexpr int kProcesses = 2;
  all.maxSuccess = (all.maxSuccess + kProcesses - 1) / kProcesses;
  const auto part = [all](int number) {
    rc::detail::TestParams own = all;
    own.seed += static_cast<std::uint64_t>(number);
    return holds(own);
  };
  CHECK(support::atOnce(kProcesses, part) == kProcesses);
}
