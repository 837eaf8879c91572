// A state directory that does not exist, because it was mistyped, lost, or left behind; and objects of an earlier pons,
// which name none.
#include <doctest/doctest.h>

#include "tests/protocol/state_dirs.h"

using namespace support;
using namespace support::state_dirs;
using pons::cni::ErrorCode;

TEST_CASE("A mistyped state directory is an error of every command, and is not created") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kFirstIpam};
  demo.attach(host, "c2", publishing({{8082, 80}}));
  host.addNamespace("c1");
  const Outcome added = add(demo.config(publishing({{8081, 80}})), subjectOf("c1"));
  resultOf(added);
  const Unchanged unchanged{host};
  for (std::vector<std::string> command : {std::vector<std::string>{"list"},
                                           {"list", "--json"},
                                           {"show", "c1"},
                                           {"check"},
                                           {"repair"},
                                           {"networks"},
                                           {"metrics"},
                                           {"graph"},
                                           {"gc"},
                                           {"gc", "--delete"},
                                           {"gc", "--delete", "demo"},
                                           {"doctor"}}) {
    CAPTURE(command.front());
    command.insert(command.end(), {"--state-dir", "/run/typo"});
    const Outcome outcome = ponsctl(command);
    CHECK(outcome.exitCode == (command.front() == "doctor" ? 1 : 2));  // to doctor it is a finding
    const std::string said = outcome.out + outcome.err;
    CHECK_MESSAGE(contains(said, "there is no state directory /run/typo"), said);
    CHECK_MESSAGE(contains(said, "/run/pons"), said);
    CHECK(!std::filesystem::exists("/run/typo"));
  }
  const Network typo{"demo", kFirstIpam + at("/run/typo")};
  checkSilent(typo.gc());
  checkSilent(typo.gcAllBut({}));
  checkSilent(typo.status());
  checkSilent(typo.del("c9"));
  checkError(check(withPrevious(typo.config(), added.out), subjectOf("c1")), ErrorCode::CheckFailed, {"not attached"});
  CHECK(!std::filesystem::exists("/run/typo"));
  demo.checkAll();
}

TEST_CASE("STATUS without a state directory tells whether ADD could create it") {
  REQUIRE_FAKE_HOST(host);
  shell("mkdir /run/ro && mount -t tmpfs -o ro tmpfs /run/ro");
  checkSilent(Network{"demo", kFirstIpam + at("/run/new/deep/pons")}.status());
  CHECK(!std::filesystem::exists("/run/new"));
  checkError(Network{"demo", kFirstIpam + at("/run/ro/deep/pons")}.status(), ErrorCode::NotAvailable,
             {"/run/ro", "Read-only"});
}

TEST_CASE("A lost state directory: ADD goes on, and GC removes what the lost records told of") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string stateDir : {"/run/pons", "/run/other"}) {
    for (const std::string way : {"GC", "ADD, then GC", "ponsctl"}) {
      CAPTURE(stateDir);
      CAPTURE(way);
      REQUIRE_FAKE_HOST(host);
      Network demo{"demo", kFirstIpam + at(stateDir)};
      demo.attach(host, "c1", publishing({{8081, 80}}));
      demo.attach(host, "c2", publishing({{8082, 80}}));
      shell("rm -rf " + stateDir);
      const Outcome doctor = ponsctl({"doctor", "--state-dir", stateDir});
      CHECK_MESSAGE(contains(doctor.out, "there is no state directory " + stateDir + ", but links or tables"),
                    doctor.out);
      for (const char* lost : {"c1", "c2"}) demo.forget(lost);
      if (way == "ADD, then GC") {
        resultOf(add(demo.config(publishing({{8081, 80}})), subjectOf("c1")));
        demo.attach(host, "c3", publishing({{8083, 80}}));
        checkSilent(demo.gcAllBut({"c1", "c3"}));
        demo.checkAll();
        for (const char* name : {"c1", "c3"}) CHECK(isLink(vethOf(name)));
      } else if (way == "GC") {
        checkSilent(demo.gcAllBut({}));
      } else {
        const std::vector<std::string> gc{"gc", "--state-dir", stateDir, "--config-dir", "/run/net.d"};
        CHECK(contains(ponsctl(gc).out, "A link may be in use"));
        auto deleting = gc;
        deleting.emplace_back("--delete");
        CHECK(ponsctl(deleting).ok());
        CHECK(ponsctl(gc).out == "no leftovers\n");
      }
      CHECK(!isLink(vethOf("c2")));
      CHECK(isLink("pons-demo") == (way == "ADD, then GC"));
      CHECK(ruleset().empty() == (way != "ADD, then GC"));
      CHECK(!contains(ruleset(), "8082"));
    }
  }
}

TEST_CASE("What a removed state directory left is no obstacle once its containers are gone") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string name : {"demo", "other"}) {
    CAPTURE(name);
    REQUIRE_FAKE_HOST(host);
    Network removed{"demo", kFirstIpam + at("/run/removed")};
    removed.attach(host, "c1", publishing({{8081, 80}}));
    shell("rm -rf /run/removed");
    Network demo{name, kSecondIpam};
    host.addNamespace("c2");
    checkError(add(demo.config(), subjectOf("c2")), ErrorCode::InvalidConfig,
               {"/run/removed", "does not exist any more", "ponsctl gc --state-dir /run/removed"});
    CHECK(isLink(vethOf("c1")));
    host.endNamespace("/run/netns/c1");

    const Outcome added = add(demo.config(publishing({{8081, 80}})), subjectOf("c2"));
    resultOf(added);
    CHECK_MESSAGE(contains(added.err, "table ip pons of the removed state directory /run/removed is replaced"),
                  added.err);
    demo.attach(host, "c3");
    demo.checkAll();
    CHECK(aliasOf("pons-" + name) == "pons /run/pons bridge");
    CHECK(!contains(ruleset(), "10.42.0."));
    for (const char* container : {"c2", "c3"}) checkSilent(demo.del(container));
    CHECK(ruleset().empty());
    CHECK(isLink("pons-demo") == (name == "other"));  // another name's bridge is left to its GC
  }
}

TEST_CASE(
    "Links and tables of an earlier pons, which name no state directory, belong to the ledger with their record") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kFirstIpam};
  for (int i = 1; i <= 3; ++i) demo.attach(host, "c" + std::to_string(i), publishing({{8080 + i, 80}}));
  CHECK(aliasOf("pons-demo") == "pons /run/pons bridge");
  CHECK(aliasOf(vethOf("c1")) == "pons /run/pons demo c1 eth0");
  for (const char* container : {"c1", "c2", "c3"}) {
    shell("ip link set " + vethOf(container) + " alias 'pons demo " + container + " eth0'");
  }
  shell(
      "ip link set pons-demo alias 'pons bridge'; for family in ip bridge; do nft delete map $family pons ledger; "
      "done");

  // DEL of one, and the others still have all.
  checkSilent(demo.del("c1"));
  demo.forget("c1");
  CHECK(!contains(ruleset(), "8081"));
  CHECK(contains(ruleset(), "8082"));
  CHECK(!isLink(vethOf("c1")));
  checkSilent(demo.gc());
  for (const char* container : {"c2", "c3"}) CHECK(isLink(vethOf(container)));
  // The upgrade repairs the tables; an ADD would rebuild them as well.
  const Outcome checked = ponsctl({"check"});
  CHECK_MESSAGE(contains(checked.out, "ledger"), checked.out);
  CHECK(repair().ok());
  demo.checkAll();
  shell("nft delete map ip pons ledger");
  demo.attach(host, "c4", publishing({{8084, 80}}));
  demo.checkAll();
  CHECK(contains(outputOf({"nft", "list", "map", "ip", "pons", "ledger"}), "comment \"/run/pons\""));
  CHECK(aliasOf("pons-demo") == "pons /run/pons bridge");
  for (const char* container : {"c2", "c3", "c4"}) checkSilent(demo.del(container));
  CHECK(ruleset().empty());
  CHECK(!isLink("pons-demo"));
}

TEST_CASE("nft reads its own list of the map, and the tables still belong to the same state directory") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", kFirstIpam};
  demo.attach(host, "c1", publishing({{8081, 80}}));
  for (const std::string family : {"ip", "bridge"}) {
    const std::string map = family + " pons ledger";
    const std::string before = outputOf({"sh", "-c", "nft list map " + map});
    CHECK_MESSAGE(contains(before, "comment \"/run/pons\""), before);
    shell("nft list map " + map + " > /run/map && nft flush map " + map + " && nft -f /run/map");
    CHECK(outputOf({"sh", "-c", "nft list map " + map}) == before);
  }
  demo.checkAll();
  demo.attach(host, "c2", publishing({{8082, 80}}));
  for (const char* container : {"c1", "c2"}) checkSilent(demo.del(container));
  CHECK(ruleset().empty());
}
