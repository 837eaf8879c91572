// The alias of a link names its ledger and its attachment.
#include "plugin/model/link_alias.h"

#include <doctest/doctest.h>

#include "tests/support/attachments.h"

using namespace pons;
using support::keyOf;

namespace {

AttachmentKey chainedKey() {
  AttachmentKey key = keyOf("c1");
  key.plugin = ChainedPlugin::Bandwidth;
  return key;
}

}  // namespace

TEST_CASE("An alias names state directory, network, container and interface, and is parsed again") {
  const AttachmentKey key = keyOf("c1");
  CHECK(bridgeAlias("/run/pons") == "pons /run/pons bridge");
  CHECK(attachmentAlias("/run/pons", key) == "pons /run/pons demo c1 eth0");
  CHECK(attachmentAlias("/run/pons", chainedKey()) == "pons /run/pons demo c1 eth0 bandwidth");
  for (const std::string stateDir : {"/run/pons", "/", "/srv/with space", "/srv/100%", "/srv/\xc3\xa4\n"}) {
    CAPTURE(stateDir);
    CHECK(stateDirOf(ledgerWord(stateDir)) == stateDir);
    CHECK(parseAlias(bridgeAlias(stateDir)) == LinkAlias{ledgerWord(stateDir), std::nullopt});
    for (const AttachmentKey& one : {key, chainedKey()}) {
      CHECK(parseAlias(attachmentAlias(stateDir, one)) == LinkAlias{ledgerWord(stateDir), one});
    }
  }
}

TEST_CASE("Aliases of an earlier pons name no state directory") {
  CHECK(parseAlias("pons bridge") == LinkAlias{"", std::nullopt});
  CHECK(parseAlias("pons demo c1 eth0") == LinkAlias{"", keyOf("c1")});
  CHECK(parseAlias("pons demo c1 eth0 bandwidth") == LinkAlias{"", chainedKey()});
}

TEST_CASE("Aliases of other programs are not parsed, damaged ones have no key") {
  for (const char* alien : {"", "pons", "ponsx demo c1 eth0", "uplink", " pons bridge"}) CHECK(!parseAlias(alien));
  for (const char* damaged : {"pons ", "pons /", "pons /run/pons", "pons /run/pons ", "pons /run/pons demo c1",
                              "pons demo", "pons /run/pons demo c1 eth0 unknown"}) {
    CAPTURE(damaged);
    REQUIRE(parseAlias(damaged));
    CHECK(!parseAlias(damaged)->key);
  }
}

TEST_CASE("However long the names are, the kernel accepts the alias, and it has the whole ledger") {
  const AttachmentKey key{NetworkName::parse(std::string(200, 'n')).value(),
                          ContainerId::parse(std::string(200, 'c')).value(), netlib::IfName::parse("eth0").value()};
  const std::string deep = "/" + std::string(300, 'd');
  const std::string other = "/" + std::string(299, 'd') + "e";
  for (const std::string& stateDir : {std::string{"/run/pons"}, deep, other}) {
    const std::string alias = attachmentAlias(stateDir, key);
    CHECK(alias.size() == 254);
    CHECK(parseAlias(alias) == LinkAlias{ledgerWord(stateDir), std::nullopt});
    CHECK(parseAlias(bridgeAlias(stateDir)) == LinkAlias{ledgerWord(stateDir), std::nullopt});
  }
  CHECK(ledgerWord(deep) != ledgerWord(other));
  CHECK(ledgerWord(deep).size() == 100);
  CHECK(!stateDirOf(ledgerWord(deep)));
}
