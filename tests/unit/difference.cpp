// What an administrator reads of a difference.
#include "plugin/model/difference.h"

#include <doctest/doctest.h>

using pons::Difference;
using pons::Differences;
using pons::Remedy;

TEST_CASE("A difference says what is, what is expected, and what to do") {
  const Difference hairpin{"hairpin mode of pons1", "on", "off"};
  CHECK(hairpin.text() == "hairpin mode of pons1 is off, expected on");
  CHECK(hairpin.textWithRemedy() == "hairpin mode of pons1 is off, expected on: run \"ponsctl repair\"");
  CHECK(pons::missing("bridge pons0").text() == "bridge pons0 is missing");
  CHECK(pons::missing("interface eth0", Remedy::RestartContainer).textWithRemedy() ==
        "interface eth0 is missing: restart the container");
  CHECK(pons::missing("kernel module br_netfilter", Remedy::LoadModule).textWithRemedy() ==
        "kernel module br_netfilter is missing: load it with \"modprobe\"");
  const Difference unreadable{"record", "", "Permission denied", Remedy::None};
  CHECK(unreadable.textWithRemedy() == "record: Permission denied");
}

TEST_CASE("Only what differs is added") {
  Differences found;
  addIfDiffers(found, {"a", "1", "1"});
  CHECK(found.empty());
  addIfDiffers(found, {"a", "1", "0"});
  CHECK(found == Differences{{"a", "1", "0", Remedy::Repair}});
}
