#include "plugin/migration/sha512.h"

#include <doctest/doctest.h>

#include "plugin/migration/reference_rules.h"

using namespace pons;

TEST_CASE("SHA-512 of texts that fill one block, just not, and several") {
  // From sha512sum.
  CHECK(sha512("") ==
        "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
        "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
  CHECK(sha512("abc") ==
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
  CHECK(sha512(std::string(111, 'a')) ==
        "fa9121c7b32b9e01733d034cfc78cbf67f926c7ed83e82200ef86818196921760"
        "b4beff48404df811b953828274461673c68d04e297b0eb7b2b4d60fc6b566a2");
  CHECK(sha512(std::string(112, 'a')) ==
        "c01d080efd492776a1c43bd23dd99d0a2e626d481e16782e75d54c2503b5dc32b"
        "d05f0f1ba33e568b88fd2d970929b719ecbb152f58f130a407c8830604b70ca");
  CHECK(sha512(std::string(300, 'b')) ==
        "94bd66bfefb429aedc0ac106336627be8c2b0f84d6b31caf261b74fbfe740794f"
        "bef7817a47d546c2ab791d2671d03e193eb819dd7dfb2773aaf5c510263e1dc");
}

TEST_CASE("the reference's names for a container in a network") {
  // As its plugins 1.1.1 have made them.
  const AttachmentKey key{NetworkName::parse("n").value(), ContainerId::parse("cnitool-20b4ff582526573bbe7d").value(),
                          netlib::IfName::parse("eth0").value()};
  const ReferenceNames names{key};
  CHECK(names.masquerade == "CNI-bb0261133db74536466d92eb");
  CHECK(names.forwards == "CNI-DN-bb0261133db74536466d9");
  CHECK(names.bandwidth.toString() == "bwpbb0261133db7");
}
