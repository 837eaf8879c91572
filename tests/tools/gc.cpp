// ponsctl gc: its output, and the orphans it finds and deletes on a host.
#include "plugin/ctl/gc.h"

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

Orphans oneOrphan() {
  const auto key = keyOf(idOf(1));
  return {.all = {{{"attachment", "eth0", "network namespace and veth no longer exist", key.network, key.container}}}};
}

Orphans manyOrphans() {
  Orphans orphans = oneOrphan();
  const auto key = keyOf(idOf(2), "web");
  orphans.all.push_back({{"link", "pons4a25852d93e", "no record of it", key.network, key.container}});
  orphans.all.push_back({{"claims", "12", "no record of their owners", key.network}});
  orphans.all.push_back({{"port", "tcp 8080 to 10.42.0.7 port 80", "not reserved by any attachment"}});
  orphans.all.push_back({{"bridge", "pons-web", "no attachment refers to it"}});
  return orphans;
}

std::string listed(const Orphans& orphans, const Terminal& terminal) {
  return viewed(gcJson(orphans), gcText, terminal);
}

std::vector<std::string> gcCommand(const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> command{"gc", "--config-dir", "/run/net.d"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

constexpr const char* kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"})";

/// Of the leftovers, "KIND NAME", sorted.
std::vector<std::string> leftoversIn(const Outcome& outcome) {
  const auto document = jsonOf(outcome);
  std::vector<std::string> texts;
  for (const auto& one : document["leftovers"].items()) {
    texts.push_back(textOf(one["kind"]) + " " + textOf(one["name"]));
  }
  std::ranges::sort(texts);
  return texts;
}

/// What is listed without --delete, and changes nothing, is what --delete removes. Answers it.
std::vector<std::string> checkListsWhatItDeletes(const FakeHost& host) {
  std::vector<std::string> listed;
  {
    const bool isThere = std::filesystem::exists("/run/pons");
    const Unchanged unchanged{host};
    listed = leftoversIn(tool(gcCommand({"--json"})));
    CHECK(std::filesystem::exists("/run/pons") == isThere);
  }
  const Outcome deleted = tool(gcCommand({"--delete", "--json"}));
  CHECK_MESSAGE(deleted.ok(), deleted.out << deleted.err);
  CHECK(leftoversIn(deleted) == listed);
  CHECK(tool(gcCommand()).out == "no leftovers\n");
  return listed;
}

std::size_t countOf(const std::string& kind, const std::vector<std::string>& leftovers) {
  return static_cast<std::size_t>(
      std::ranges::count_if(leftovers, [&](const std::string& one) { return one.starts_with(kind + " "); }));
}

}  // namespace

TEST_CASE("ponsctl gc lists the orphans, and whether they were deleted") {
  CHECK(listed({}, kNarrow) == "no leftovers\n");
  checkGolden("gc-0.json", gcJson({}));
  checkGolden("gc-1-80.txt", listed(oneOrphan(), kNarrow));
  checkGolden("gc-1.json", gcJson(oneOrphan()));
  checkGolden("gc-many-80.txt", listed(manyOrphans(), kNarrow));
  checkGolden("gc-many-200.txt", listed(manyOrphans(), kWide));
  checkWidth(listed(manyOrphans(), kNarrow), 80);
  Orphans deleted = manyOrphans();
  deleted.deletes = true;
  deleted.all[1].failure = "delete link pons4a25852d93e: Operation not permitted";
  deleted.problems = {"/etc/cni/net.d/1.conf: not JSON at line 1, column 2"};
  checkGolden("gc-removed-80.txt", listed(deleted, kNarrow));
  checkGolden("gc-removed.json", gcJson(deleted));
  CHECK(!contains(listed(deleted, kNarrow), "POD"));
  deleted.all.front().pod = "default/web-0";
  CHECK(contains(listed(deleted, kWide), "  default/web-0  "));
}

TEST_CASE(
    "On a host: ponsctl gc finds stopped containers, changes nothing without --delete, and leaves running ones alone") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool(gcCommand({"--delete"})).out == "no leftovers\n");
  CHECK(!std::filesystem::exists("/run/pons"));
  Network demo{"demo", kSubnet};
  Network web{"web", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  const Unchanged before{host};
  for (const char* name : {"c1", "c2"})
    demo.attach(host, name, publishing({{std::string{name} == "c1" ? 8081 : 8082, 80}}));
  web.attach(host, "w1");
  CHECK(tool(gcCommand()).ok());
  host.endNamespace("/run/netns/c1");
  host.endNamespace("/run/netns/w1");
  {
    const Unchanged unchanged{host};
    const Outcome looked = tool(gcCommand());
    CHECK(looked.exitCode == 1);
    CHECK_MESSAGE(
        contains(looked.out, "attachment  demo     c1         eth0  network namespace and veth no longer exist\n"),
        looked.out);
    CHECK(contains(looked.out, "2 leftovers: --delete removes them"));
    CHECK(contains(tool(gcCommand({"web"})).out, "1 leftover: --delete"));
  }
  CHECK(contains(tool(gcCommand({"web", "--delete"})).out, "1 removed"));
  const Outcome deleted = tool(gcCommand({"--delete"}));
  CHECK_MESSAGE(deleted.ok(), deleted.out);
  CHECK(contains(deleted.out, "1 removed"));
  CHECK(tool(gcCommand()).out == "no leftovers\n");
  demo.forget("c1");
  demo.checkAll();
  checkSilent(demo.del("c2"));
}

TEST_CASE("On a host: ponsctl gc deletes all orphans of a lost ledger, and leaves the links of another ledger alone") {
  REQUIRE_FAKE_HOST(host);
  shell("echo 1 > /proc/sys/net/ipv4/ip_forward");  // the previous value is lost with the ledger
  shell(
      R"(echo '{"cniVersion": "1.0.0", "name": "away", "type": "pons", "stateDir": "/run/away"}' > /run/net.d/1.conf)");
  shell(R"(echo '{"cniVersion": "1.0.0", "name": "demo", "type": "pons", "bridge": "pons-demo",
           "ipam": {"subnet": "10.42.0.0/24"}}' > /run/net.d/3.conf)");
  shell("ip link add pons-away type bridge && ip link set pons-away alias 'pons /run/away bridge'");
  shell("ip link add theirs type veth peer name peer && ip link set theirs alias 'pons /run/away demo a1 eth0'");
  const Unchanged unchanged{host};
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1", publishing({{8081, 80}}));
  shell("rm -rf /run/pons && echo '{' > /run/net.d/2.conf");
  const Outcome looked = tool(gcCommand());
  CHECK(looked.exitCode == 1);
  CHECK_MESSAGE(contains(looked.out, "A link may be in use"), looked.out);
  CHECK(contains(looked.err, "ponsctl gc: /run/net.d/2.conf: invalid JSON"));
  shell("rm /run/net.d/2.conf; nft delete element ip pons forwards_any '{ tcp . 8081 }'");
  CHECK(tool(gcCommand({"--delete"})).ok());
  CHECK(tool(gcCommand()).out ==
        "no leftovers\nLinks or tables of another state directory are left alone: use --state-dir /run/away\n");
}

TEST_CASE("On a host: ponsctl gc lists without --delete what --delete removes, and starts no ledger for it") {
  const bool hasFilter = std::filesystem::exists("/proc/sys/net/bridge");
  const std::vector<std::string> networks{
      "", R"(, "macspoofchk": false)", R"(, "ingressPolicy": "isolated")", R"(, "internal": true)",
      R"(, "macspoofchk": true, "ingressPolicy": "same-bridge", "egressPolicy": {"allowedCidrs": ["192.0.2.0/24"]})"};
  for (const std::string& members : networks) {
    if (contains(members, "egressPolicy") && !hasFilter) continue;
    for (const std::size_t containers : {std::size_t{1}, std::size_t{3}}) {
      CAPTURE(members);
      CAPTURE(containers);
      const bool isInternal = contains(members, "internal");
      const bool isUnguarded = contains(members, "\"macspoofchk\": false");
      REQUIRE_FAKE_HOST(host);
      shell("echo 1 > /proc/sys/net/ipv4/ip_forward");  // the previous value is lost with the ledger
      Network demo{"demo", kSubnet + members};
      for (std::size_t i = 0; i < containers; ++i) {
        const std::string ports = isInternal ? "" : publishing({{8080 + static_cast<int>(i), 80}});
        demo.attach(host, "c" + std::to_string(i), ports);
      }
      shell("rm -rf /run/pons");
      for (std::size_t i = 0; i < containers; ++i) demo.forget("c" + std::to_string(i));
      const auto leftovers = checkListsWhatItDeletes(host);
      CHECK(countOf("link", leftovers) == containers);
      CHECK(countOf("port", leftovers) == (isInternal ? 0 : containers));
      CHECK(countOf("guard", leftovers) == (isUnguarded ? 0 : containers));
      CHECK(countOf("policy", leftovers) == (contains(members, "egressPolicy") ? containers : 0));
      CHECK(countOf("bridge", leftovers) == 1);
      CHECK(countOf("tables", leftovers) == 1);
    }
  }
}

TEST_CASE(
    "On a host: ponsctl gc deletes restrictions of published ports that their container has not, and those only") {
  REQUIRE_FAKE_HOST(host);
  shell("echo 1 > /proc/sys/net/ipv4/ip_forward");  // the previous value is lost with the ledger
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1",
              R"("runtimeConfig": {"portMappings": [)"
              R"({"hostPort": 8080, "containerPort": 80, "allowFrom": ["192.0.2.0/24", "192.0.3.0/24"]},)"
              R"({"hostPort": 8081, "containerPort": 80, "hostIP": "127.0.0.1", "allowFrom": ["::/0"]}]})");
  const std::string open = demo.attach(host, "c2", publishing({{8082, 80}}));
  CHECK(checkListsWhatItDeletes(host).empty());
  const std::string before = outputOf({"nft", "list", "table", "ip", "pons"});
  // Of an earlier container with the same address, whose ledger was lost; and of one that is gone.
  shell("nft add element ip pons restricted_ports '{ " + open + " . tcp . 8082, 10.42.0.200 . udp . 9090 }'");
  std::vector<std::string> expected{"port allowFrom of tcp 8082 to " + open,
                                    "port allowFrom of udp 9090 to 10.42.0.200"};
  CHECK(checkListsWhatItDeletes(host) == expected);
  CHECK(outputOf({"nft", "list", "table", "ip", "pons"}) == before);
  demo.checkAll();
  shell("rm -rf /run/pons");
  for (const char* container : {"c1", "c2"}) demo.forget(container);
  CHECK(countOf("port", checkListsWhatItDeletes(host)) == 3 + 2);  // and two with allowFrom
}

TEST_CASE("On a host: ponsctl gc lists what --delete removes of containers whose record is damaged or gone") {
  for (const std::string change : {"echo noise > ", "rm ", "true "}) {
    CAPTURE(change);
    REQUIRE_FAKE_HOST(host);
    Network demo{"demo", kSubnet + std::string{R"(, "macspoofchk": true)"}};
    for (const char* name : {"c1", "c2", "c3"}) demo.attach(host, name);
    host.endNamespace("/run/netns/c1");
    shell(change + recordOf(demo, "c1"));
    const auto leftovers = checkListsWhatItDeletes(host);
    CHECK(!leftovers.empty());
    CHECK(countOf("guard", leftovers) == (change == "true " ? 0 : 1));
    demo.forget("c1");
    demo.checkAll();
  }
}

TEST_CASE("ponsctl gc: a network whose configuration is invalid") {
  REQUIRE_FAKE_HOST(host);
  setContent("/run/net.d/1.conf", R"({"cniVersion": "1.0.0", "name": "bad", "type": "pons", "mtu": "big"})");
  setContent("/run/net.d/2.conf", "{");
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1");
  const Outcome invalid = tool(gcCommand({"bad"}));
  CHECK(invalid.exitCode == 2);
  CHECK_MESSAGE(
      contains(invalid.err, "network \"bad\" is not on record, and its configuration is invalid: /run/net.d/1.conf: "),
      invalid.err);
  const Outcome unknown = tool(gcCommand({"nonsense"}));
  CHECK_MESSAGE(contains(unknown.err, "unknown network \"nonsense\" (neither in /run/net.d nor on record); not read: "),
                unknown.err);
  CHECK_MESSAGE(contains(unknown.err, "/run/net.d/2.conf: invalid JSON"), unknown.err);
}

TEST_CASE("ponsctl gc: an invalid and an unknown network, and a record of a newer pons") {
  REQUIRE_FAKE_HOST(host);
  CHECK(contains(tool(gcCommand({"no/network"})).err, "is not a valid network name"));
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1");
  CHECK(tool(gcCommand({"demo"})).out == "no leftovers\n");
  const Outcome mistyped = tool(gcCommand({"dem"}));
  CHECK(mistyped.exitCode == 2);
  CHECK(mistyped.err ==
        "ponsctl gc: unknown network \"dem\": did you mean \"demo\"? (neither in /run/net.d nor on record)\n");
  shell("sed -i 's/\"format\": 1/\"format\": 2/' " + recordOf(demo, "c1"));
  const Outcome looked = tool(gcCommand());
  CHECK(looked.exitCode == 1);
  CHECK(looked.out == "no leftovers\n");
  CHECK(contains(looked.err, "ponsctl gc: demo c1 eth0: "));
}
