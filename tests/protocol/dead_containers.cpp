// A container whose namespace went without a DEL keeps nothing from others, and from itself; a living one is never
// taken for dead, wherever its runtime keeps its namespaces.
#include <doctest/doctest.h>

#include "tests/protocol/chain.h"
#include "tests/protocol/network.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;

namespace {

const std::string kDemo = R"("ipam": {"subnet": "10.42.0.0/24"})";

/// The living and the dead, as ADDs of others meet them.
struct Rivals {
  FakeHost host;
  Network old{"old", R"("ipam": {"subnet": "10.41.0.0/24"})"};

  Rivals() { old.attach(host, "dead", publishing({{8080, 80}})); }
  void end() { host.endNamespace("/run/netns/dead"); }
};

}  // namespace

TEST_CASE("A dead container's host port is free for others, in whichever network it was, and the log names it") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string name : {"old", "new"}) {
    CAPTURE(name);
    Rivals rivals;
    Network other{name, R"("ipam": {"subnet": "10.41.0.0/24"})"};
    rivals.host.addNamespace("c1");
    const std::string config = other.config(publishing({{8080, 80}}));
    if (name == "old") {
      checkError(add(config, subjectOf("c1")), ErrorCode::InvalidConfig, {"8080/tcp", "container dead"});
    } else {
      checkError(add(config, subjectOf("c1")), ErrorCode::InvalidConfig, {"container dead"});
    }
    rivals.end();
    const Outcome added = add(config, subjectOf("c1"));
    resultOf(added);
    CHECK(contains(added.err, "reclaimed old dead eth0"));
    checkSilent(check(withPrevious(config, added.out), subjectOf("c1")));
    checkSilent(del(config, subjectOf("c1")));
    CHECK(ledgerText().empty());
    CHECK(!contains(outputOf({"nft", "list", "ruleset"}), "pons"));
  }
}

TEST_CASE("A dead container's subnet on a bridge is free for another network") {
  REQUIRE_FAKE_HOST(host);
  const auto config = [](const std::string& name) {
    return R"({"cniVersion": "1.0.0", "name": ")" + name + R"(", "type": "pons", "bridge": "shared", )" + kDemo + "}";
  };
  for (const char* container : {"c1", "c2", "c3"}) host.addNamespace(container);
  for (const char* container : {"c1", "c2"}) resultOf(add(config("old"), subjectOf(container)));
  checkError(add(config("new"), subjectOf("c3")), ErrorCode::InvalidConfig, {"network old"});
  for (const char* container : {"c1", "c2"}) host.endNamespace(std::string{"/run/netns/"} + container);
  resultOf(add(config("new"), subjectOf("c3")));
}

TEST_CASE(
    "A container that is started anew after its namespace went is attached again, with every plugin of its chain") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  const std::string ports = R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})";
  const std::vector<Link> native{{"pons", kDemo + ", " + ports}};
  const std::vector<Link> chained{{"bridge", R"("isGateway": true, "ipMasq": true, )" + kDemo},
                                  {"portmap", ports},
                                  {"firewall", ""},
                                  {"tuning", R"("mtu": 1400)"}};
  for (const auto& links : {native, chained}) {
    FakeHost host;
    const Plugins plugins;
    host.addNamespace("c1");
    const Unchanged unchanged{host};
    Chain chain{links};
    chain.add();
    for (int round = 0; round < 3; ++round) {
      host.endNamespace("/run/netns/c1");
      host.addNamespace("c1");
      chain = Chain{links};
      chain.add();
      chain.check();
    }
    chain.del();
  }
}

TEST_CASE("A living container is attached once: a second ADD is refused, chained or not, and changes nothing") {
  REQUIRE_FAKE_HOST(host);
  const Plugins plugins;
  host.addNamespace("c1");
  const Link bridge{"bridge", R"("isGateway": true, )" + kDemo};
  const Link portmap{"portmap", R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})"};
  Chain chain{{bridge, portmap}};
  const std::string result = chain.add();
  const Unchanged unchanged{host};
  checkError(Plugins::call("bridge", "ADD", bridge.config()), ErrorCode::AlreadyAttached);
  checkError(Plugins::call("portmap", "ADD", withPrevious(portmap.config(), result)), ErrorCode::AlreadyAttached);
}

TEST_CASE("A living container whose namespace has no path here is neither garbage nor broken, and can be repaired") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const bool chained : {false, true}) {
    CAPTURE(chained);
    FakeHost host;
    const Plugins plugins;
    host.addNamespace("c1");
    const std::string ports = R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})";
    std::vector<Link> links{{"pons", kDemo + ", " + ports}};
    if (chained) links = {{"bridge", R"("isGateway": true, "ipMasq": true, )" + kDemo}, {"portmap", ports}};
    Chain chain{links};
    chain.add();
    // What a runtime in a mount namespace of its own leaves for us: an ordinary file.
    shell("mount --bind /dev/null /run/netns/c1");
    const auto list = [] { return ponsctl({"list"}).out; };
    CHECK(!contains(list(), "gone"));
    CHECK(ponsctl({"check"}).ok());
    CHECK(ponsctl({"gc"}).ok());
    CHECK(ponsctl({"gc", "--delete"}).ok());
    checkSilent(Plugins::call(links.front().plugin, "GC", links.front().config(),
                              {.container = "", .netns = "", .ifName = ""}));
    shell("nft flush ruleset");
    CHECK(!ponsctl({"check"}).ok());
    CHECK(repair().ok());
    CHECK(ponsctl({"check"}).ok());
    CHECK(!contains(list(), "gone"));

    shell("umount /run/netns/c1");
    chain.check();
    chain.del();
    CHECK(ledgerText().empty());
  }
}

TEST_CASE("A relative path of the namespace, and one of /proc/self, do not make a container dead") {
  if (!FakeHost::possible()) return FakeHost::countSkip();
  for (const std::string path : {"./netns/c1", "/proc/self/fd/9"}) {
    CAPTURE(path);
    FakeHost host;
    host.addNamespace("c1");
    Network demo{"demo", kDemo};
    const std::string command =
        "cd /run; exec 9</run/netns/c1; CNI_COMMAND=ADD CNI_CONTAINERID=c1 CNI_IFNAME=eth0 CNI_PATH=/run "
        "CNI_NETNS=" +
        path + " " + PONS_BINARY + " <<'X' >/dev/null\n" + demo.config() + "\nX\n";
    shell(command);
    checkSilent(demo.gc());
    CHECK(ponsctl({"gc", "--delete"}).ok());
    CHECK(contains(ledgerText(), "c1:eth0"));
    checkSilent(demo.del("c1"));
    CHECK(ledgerText().empty());
  }
}

TEST_CASE("The remedy of a container that no longer exists is the garbage collection") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  host.endNamespace("/run/netns/c1");
  const Outcome looked = ponsctl({"check"});
  CHECK(looked.exitCode == 1);
  CHECK_MESSAGE(contains(looked.out, "/run/netns/c1 of the container is missing: run \"ponsctl gc --delete\""),
                looked.out);
  CHECK(contains(repair().out, "(run \"ponsctl gc --delete\")"));
  CHECK(ponsctl({"gc", "--delete"}).ok());
  demo.forget("c1");
  CHECK(ponsctl({"check"}).ok());
  CHECK(repair().out == "nothing is missing\n");
  demo.checkAll();
}
