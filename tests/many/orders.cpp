#include <algorithm>
#include <array>
#include <cstdio>
#include <numeric>

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/many/container_group.h"
#include "tests/support/at_once.h"

namespace support {
namespace {

constexpr unsigned kMost = 3;

std::string nameOf(Settings settings) { return settings == Settings::Equal ? "equal settings" : "different settings"; }

std::string textOf(const std::vector<unsigned>& numbers) {
  std::string text;
  for (const unsigned number : numbers) text += " c" + std::to_string(number);
  return text;
}

void comeAndGo(ContainerGroup& group, const std::vector<unsigned>& leaving) {
  INFO("leaving in the order", textOf(leaving));
  for (unsigned number = 1; number <= leaving.size(); ++number) {
    INFO("after the ADD of c", number);
    group.container(number).attach();
    group.checkAll();
  }
  for (const unsigned number : leaving) {
    INFO("after the DEL of c", number);
    group.container(number).detach();
    group.checkAll();
  }
  group.checkNothingLeft();
}

void tryOrders(const Form& form, Settings settings) {
  ContainerGroup group{form, settings, kMost};
  for (unsigned size = 2; size <= kMost; ++size) {
    std::vector<unsigned> leaving(size);
    std::iota(leaving.begin(), leaving.end(), 1);
    do comeAndGo(group, leaving);
    while (std::ranges::next_permutation(leaving).found);
  }
}

void tryOneForm(const Form& form, Settings settings) {
  INFO(form.name, ", ", nameOf(settings));
  // A form that fails does not hide the others.
  try {
    tryOrders(form, settings);
  } catch (const std::exception& failure) { FAIL_CHECK(std::string{failure.what()}); }
}

/// For a child of the test: whether doctest had nothing to say of the work. What it said is printed in one piece.
bool isSilent(const std::function<void()>& work) {
  const netlib::UniqueFd terminal{dup(STDOUT_FILENO)};
  const netlib::UniqueFd kept{memfd_create("said", MFD_CLOEXEC)};
  dup2(kept.get(), STDOUT_FILENO);
  work();
  std::fflush(nullptr);
  std::string said(static_cast<std::size_t>(lseek(kept.get(), 0, SEEK_END)), '\0');
  const bool printed =
      pread(kept.get(), said.data(), said.size(), 0) >= 0 && write(terminal.get(), said.data(), said.size()) >= 0;
  return printed && said.empty();
}

}  // namespace

void tryEveryOrder(const Form& form) {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  // Both at once, each on a host of its own: most of the time is the kernel's, which takes links away when it likes.
  constexpr std::array kSettings{Settings::Equal, Settings::Different};
  const auto silent = [&](int number) {
    return isSilent([&] { tryOneForm(form, kSettings.at(static_cast<std::size_t>(number))); });
  };
  CHECK(atOnce(kSettings.size(), silent) == kSettings.size());
}

}  // namespace support
