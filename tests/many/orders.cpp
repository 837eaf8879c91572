#include <algorithm>
#include <numeric>

#include <doctest/doctest.h>

#include "tests/many/crowd.h"

namespace support {
namespace {

constexpr unsigned kMost = 3;

const char* nameOf(Settings settings) { return settings == Settings::Equal ? "equal settings" : "different settings"; }

std::string textOf(const std::vector<unsigned>& numbers) {
  std::string text;
  for (const unsigned number : numbers) text += " c" + std::to_string(number);
  return text;
}

void comeAndGo(Crowd& crowd, const std::vector<unsigned>& leaving) {
  INFO("leaving in the order", textOf(leaving));
  for (unsigned number = 1; number <= leaving.size(); ++number) {
    INFO("after the ADD of c", number);
    crowd.container(number).attach();
    crowd.checkAll();
  }
  for (const unsigned number : leaving) {
    INFO("after the DEL of c", number);
    crowd.container(number).detach();
    crowd.checkAll();
  }
  crowd.checkNothingLeft();
}

void tryOrders(const Form& form, Settings settings) {
  Crowd crowd{form, settings, kMost};
  for (unsigned size = 2; size <= kMost; ++size) {
    std::vector<unsigned> leaving(size);
    std::iota(leaving.begin(), leaving.end(), 1);
    do comeAndGo(crowd, leaving);
    while (std::ranges::next_permutation(leaving).found);
  }
}

}  // namespace

void tryEveryOrder(const Form& form) {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const Settings settings : {Settings::Equal, Settings::Different}) {
    INFO(form.name, ", ", nameOf(settings));
    // A form that fails does not hide the others.
    try {
      tryOrders(form, settings);
    } catch (const std::runtime_error& failure) { FAIL_CHECK(failure.what()); }
  }
}

}  // namespace support
