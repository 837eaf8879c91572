#include <doctest/doctest.h>

#include "plugin/migration/reference_rules.h"

using namespace pons;

TEST_CASE("the reference's names for a container in a network") {
  // As its plugins 1.1.1 have made them.
  const AttachmentKey key{NetworkName::parse("n").value(), ContainerId::parse("cnitool-20b4ff582526573bbe7d").value(),
                          netlib::IfName::parse("eth0").value()};
  const ReferenceNames names{key};
  CHECK(names.masquerade == "CNI-bb0261133db74536466d92eb");
  CHECK(names.forwards == "CNI-DN-bb0261133db74536466d9");
  CHECK(names.bandwidth.toString() == "bwpbb0261133db7");
}
