// A full host.
#include <algorithm>
#include <numeric>
#include <random>

#include <doctest/doctest.h>

#include "tests/many/chains.h"
#include "tests/many/container_group.h"

using namespace support;

namespace {

constexpr unsigned kSize = 30;
constexpr std::mt19937::result_type kSeed = 30;

std::vector<unsigned> shuffled(std::mt19937& dice) {
  std::vector<unsigned> numbers(kSize);
  std::iota(numbers.begin(), numbers.end(), 1);
  std::ranges::shuffle(numbers, dice);
  return numbers;
}

}  // namespace

TEST_CASE("Thirty containers of bridge and portmap come and go in any order") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  ContainerGroup group{chainOf("bridge, portmap", {kBridge, kPortmap}), Settings::Different, kSize};
  std::mt19937 dice{kSeed};
  // Looked at when half of them and when all of them are there, and then again.
  const auto forAll = [&](void (Container::*step)(), const std::string& name) {
    unsigned done = 0;
    for (const unsigned number : shuffled(dice)) {
      INFO(name, " of c", number);
      (group.container(number).*step)();
      if (++done % (kSize / 2) == 0) group.checkAll();
    }
  };
  forAll(&Container::attach, "ADD");
  forAll(&Container::detach, "DEL");
  group.checkNothingLeft();
}
