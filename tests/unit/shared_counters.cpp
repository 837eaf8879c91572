#include "netlib/os/shared_counters.h"

#include <filesystem>

#include <doctest/doctest.h>

#include "tests/support/scratch.h"

using support::Scratch;

TEST_CASE("Counters are created atomically, shared by all processes, and refused with another size") {
  const Scratch scratch;
  const std::string path = scratch / "counters";
  {
    auto one = netlib::SharedCounters::open(path).value();
    auto other = netlib::SharedCounters::open(path).value();
    one.add(0);
    other.add(0, 41);
    other.add(netlib::SharedCounters::kCount - 1);
    CHECK(one.get(0) == 42);
    CHECK_THROWS_AS(one.add(netlib::SharedCounters::kCount), std::out_of_range);
  }
  CHECK(netlib::SharedCounters::open(path)->get(netlib::SharedCounters::kCount - 1) == 1);
  CHECK(std::distance(std::filesystem::directory_iterator{std::filesystem::path{path}.parent_path()}, {}) == 1);
  std::filesystem::resize_file(path, 4095);
  CHECK(netlib::SharedCounters::open(path).failedWith(netlib::Cause::Damaged));
  CHECK(netlib::SharedCounters::open(scratch / "missing/counters").failedWith(ENOENT));
}
