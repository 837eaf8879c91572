// Two state directories on one host: the second one is refused, and neither takes from the other, whatever is called
// with it.
#include <filesystem>

#include <doctest/doctest.h>

#include "tests/protocol/state_dirs.h"

using namespace support;
using namespace support::state_dirs;
using pons::cni::ErrorCode;

namespace {

/// No masquerade, no spoof guard, no ports: nothing of nf_tables.
const std::string kNoTables = R"("ipMasq": false, "macspoofchk": false, "ipSpoofCheck": false, )";

std::string forwarding() { return contentOf("/proc/sys/net/ipv4/ip_forward"); }

/// Everything that a runtime and an administrator may call with the second state directory for a container.
void callAll(const Network& second, const std::string& stateDir, const std::string& container) {
  checkSilent(second.del(container));
  checkSilent(second.gc());
  checkSilent(second.gcAllBut({}));
  checkSilent(second.del(container));
  CHECK(second.status().signal == 0);
  for (std::vector<std::string> words :
       {std::vector<std::string>{"repair"}, {"gc", "--delete", "--config-dir", "/run/net.d"}}) {
    words.insert(words.end(), {"--state-dir", stateDir});
    const Outcome called = ponsctl(words);
    // The default one may be missing: nothing has been attached yet.
    const bool mayBeUsed = std::filesystem::exists(stateDir) || stateDir == "/run/pons";
    CHECK(called.ok() == mayBeUsed);
    if (!mayBeUsed) CHECK(contains(called.err, "there is no state directory " + stateDir));
  }
}

}  // namespace

TEST_CASE("A second state directory is refused with the first one's path, and takes nothing from it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const auto& [firstDir, secondDir] :
       {std::pair<std::string, std::string>{"/run/pons", "/run/other"}, {"/run/other", "/run/pons"}}) {
    for (const std::string name : {"other", "demo"}) {  // the second network's, and that of its bridge
      for (const std::string& subnet : {kSecondIpam, kFirstIpam}) {
        CAPTURE(firstDir);
        CAPTURE(name);
        CAPTURE(subnet);
        REQUIRE_FAKE_HOST(host);
        Network first{"demo", kFirstIpam + at(firstDir)};
        for (int i = 1; i <= 3; ++i) first.attach(host, "c" + std::to_string(i), publishing({{8080 + i, 80}}));
        Network second{name, subnet + at(secondDir)};
        host.addNamespace("late");
        const std::string before = host.dump() + ledgerText(firstDir);

        for (const char* container : {"late", "c1"}) {
          CAPTURE(container);
          checkError(add(second.config(publishing({{8081, 80}})), subjectOf(container)), ErrorCode::InvalidConfig,
                     {"bridge pons-demo belongs to the state directory " + firstDir});
          CHECK(host.dump() + ledgerText(firstDir) == before);
          CHECK(!std::filesystem::exists(secondDir));
          callAll(second, secondDir, container);
          CHECK(host.dump() + ledgerText(firstDir) == before);
        }
        first.checkAll();
        CHECK(forwarding() == "1\n");
        CHECK(ledgerText(secondDir).empty());
        const Outcome found = ponsctl({"gc", "--state-dir", secondDir, "--config-dir", "/run/net.d"});
        CHECK_MESSAGE(contains(found.out + found.err, firstDir), found.out << found.err);

        for (const char* container : {"c1", "c2", "c3"}) {
          checkSilent(first.del(container));
          first.forget(container);
        }
        CHECK(forwarding() == "0\n");
        second.attach(host, "c4", publishing({{8081, 80}}));
        second.checkAll();
        host.addNamespace("c5");
        checkError(add(first.config(), subjectOf("c5")), ErrorCode::InvalidConfig, {secondDir});
        second.checkAll();
        checkSilent(second.del("c4"));
      }
    }
  }
}

TEST_CASE(
    "An ADD that another state directory's bridge refuses names that bridge once, and leaves only what was there") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool existed : {false, true}) {
    for (const bool wasUsed : {false, true}) {
      CAPTURE(existed);
      CAPTURE(wasUsed);
      REQUIRE_FAKE_HOST(host);
      Network first{"demo", kFirstIpam};
      Network second{"other", kSecondIpam + at("/run/other")};
      if (existed) shell("mkdir -m 700 /run/other");
      // A directory in which an attachment was once is no new one.
      if (wasUsed) {
        second.attach(host, "c0");
        checkSilent(second.del("c0"));
      }
      for (const char* name : {"c1", "c2"}) first.attach(host, name);
      const std::string before = host.dump() + ledgerText();
      for (const char* name : {"late", "later"}) {
        host.addNamespace(name);
        const Outcome refused = add(second.config(), subjectOf(name));
        checkError(refused, ErrorCode::InvalidConfig,
                   {"bridge pons-other: not created, as bridge pons-demo belongs to the state directory /run/pons"});
        CHECK(host.dump() + ledgerText() == before);
        CHECK(std::filesystem::exists("/run/other") == (existed || wasUsed));
      }
      first.checkAll();
    }
  }
}

TEST_CASE("On a bridge of the administrator the tables tell the second state directory from the first") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string& subnet : {kSecondIpam, kFirstIpam}) {
    CAPTURE(subnet);
    REQUIRE_FAKE_HOST(host);
    shell("ip link add pons-shared type bridge");
    Network first{"shared", kFirstIpam};
    for (const char* name : {"c1", "c2"}) first.attach(host, name);
    Network second{"shared", subnet + at("/run/other")};
    host.addNamespace("late");
    const std::string before = host.dump() + ledgerText();
    checkError(add(second.config(), subjectOf("late")), ErrorCode::InvalidConfig,
               {"nf_tables table ip pons belongs to the state directory /run/pons"});
    CHECK(host.dump() + ledgerText() == before);
    callAll(second, "/run/other", "late");
    CHECK(host.dump() + ledgerText() == before);
    first.checkAll();
    // A table with the first one's name alone, too.
    shell("nft delete table ip pons");
    checkError(add(second.config(), subjectOf("late")), ErrorCode::InvalidConfig,
               {"nf_tables table bridge pons belongs to the state directory /run/pons"});
    CHECK(!contains(ruleset(), "/run/other"));
    CHECK(repair().ok());
    first.checkAll();
  }
}

TEST_CASE("Without tables two state directories share a bridge of the administrator, and each keeps what it has") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool firstEndsFirst : {true, false}) {
    CAPTURE(firstEndsFirst);
    REQUIRE_FAKE_HOST(host);
    shell("ip link add pons-shared type bridge");
    Network first{"shared", kNoTables + kFirstIpam};
    Network second{"shared", kNoTables + kSecondIpam + at("/run/other")};
    for (const char* name : {"c1", "c2"}) first.attach(host, name);
    // The names of the links derive from network, container and interface.
    const std::string alias = aliasOf(vethOf("c1", "shared"));
    checkError(add(second.config(), subjectOf("c1")), ErrorCode::InvalidConfig,
               {"link " + vethOf("c1", "shared") + " belongs to the state directory /run/pons"});
    checkSilent(second.del("c1"));
    checkSilent(second.gcAllBut({}));
    CHECK(aliasOf(vethOf("c1", "shared")) == alias);
    first.checkAll();

    second.attach(host, "c3");
    Network& leaving = firstEndsFirst ? first : second;
    Network& staying = firstEndsFirst ? second : first;
    for (const std::string& container :
         firstEndsFirst ? std::vector<std::string>{"c1", "c2"} : std::vector<std::string>{"c3"}) {
      checkSilent(leaving.del(container));
      leaving.forget(container);
    }
    checkSilent(leaving.gcAllBut({}));
    staying.checkAll();
    CHECK(forwarding() == "1\n");
    CHECK(contains(outputOf({"ip", "link", "show", "pons-shared"}), ",UP"));
  }
}

TEST_CASE("One state directory under two paths is one") {
  REQUIRE_FAKE_HOST(host);
  shell("ln -s /run /run/link");
  Network direct{"demo", kFirstIpam};
  Network linked{"demo", kFirstIpam + at("/run/link/pons/")};
  direct.attach(host, "c1", publishing({{8081, 80}}));
  linked.attach(host, "c2", publishing({{8082, 80}}));
  direct.checkAll();
  linked.checkAll();
  CHECK(ponsctl({"check", "--state-dir", "/run/link/pons"}).out == "2 attachments, no faults\n");
  checkSilent(linked.del("c1"));
  checkSilent(direct.del("c2"));
  CHECK(ruleset().empty());
  CHECK(!isLink("pons-demo"));
}
