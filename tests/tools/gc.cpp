// pons gc: what it prints, and what it finds and takes away on a host.
#include "plugin/ctl/gc.h"

#include <doctest/doctest.h>

#include "tests/protocol/network.h"
#include "tests/tools/made_up.h"
#include "tests/tools/tool_run.h"

using namespace pons::tools;
using namespace support;

namespace {

Collection oneLeftover() {
  const auto key = keyOf(idOf(1));
  return {.garbage = {{{"attachment", "eth0", "its namespace is gone", key.network, key.container}}}};
}

Collection manyLeftovers() {
  Collection collection = oneLeftover();
  const auto key = keyOf(idOf(2), "web");
  collection.garbage.push_back({{"link", "pons4a25852d93e", "no record of it", key.network, key.container}});
  collection.garbage.push_back({{"claims", "12", "no record of their owners", key.network}});
  collection.garbage.push_back({{"port", "tcp 8080 to 10.42.0.7 port 80", "not reserved by any attachment"}});
  collection.garbage.push_back({{"bridge", "pons-web", "no attachment refers to it"}});
  return collection;
}

std::vector<std::string> gcCommand(const std::vector<std::string>& arguments = {}) {
  std::vector<std::string> command{"gc", "--config-dir", "/run/net.d"};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return command;
}

constexpr const char* kSubnet = R"("ipam": {"subnet": "10.42.0.0/24"})";

}  // namespace

TEST_CASE("pons gc tells what is left behind, and whether it was taken away") {
  CHECK(gcText({}, kNarrow) == "nothing is left behind\n");
  checkGolden("gc-0.json", gcJson({}));
  checkGolden("gc-1-80.txt", gcText(oneLeftover(), kNarrow));
  checkGolden("gc-1.json", gcJson(oneLeftover()));
  checkGolden("gc-many-80.txt", gcText(manyLeftovers(), kNarrow));
  checkGolden("gc-many-200.txt", gcText(manyLeftovers(), kWide));
  checkWidth(gcText(manyLeftovers(), kNarrow), 80);
  Collection taken = manyLeftovers();
  taken.taken = true;
  taken.garbage[1].failure = "delete link pons4a25852d93e: Operation not permitted";
  taken.problems = {"/etc/cni/net.d/1.conf: not JSON at line 1, column 2"};
  checkGolden("gc-taken-80.txt", gcText(taken, kNarrow));
  checkGolden("gc-taken.json", gcJson(taken));
}

TEST_CASE("On a host: pons gc finds dead containers, changes nothing without --delete, and spares the living") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool(gcCommand()).out == "nothing is left behind\n");
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
    CHECK_MESSAGE(contains(looked.out, "attachment  demo     c1         eth0  its namespace and its link are gone\n"),
                  looked.out);
    CHECK(contains(looked.out, "2 leftovers: --delete takes them away"));
    CHECK(contains(tool(gcCommand({"web"})).out, "1 leftover: --delete"));
  }
  CHECK(contains(tool(gcCommand({"web", "--delete"})).out, "1 taken away"));
  const Outcome taken = tool(gcCommand({"--delete"}));
  CHECK_MESSAGE(taken.ok(), taken.out);
  CHECK(contains(taken.out, "1 taken away"));
  CHECK(tool(gcCommand()).out == "nothing is left behind\n");
  demo.forget("c1");
  demo.checkAll();
  checkSilent(demo.del("c2"));
}

TEST_CASE("On a host: pons gc takes away all of a lost ledger's networks, and leaves those of another ledger alone") {
  REQUIRE_FAKE_HOST(host);
  shell("echo 1 > /proc/sys/net/ipv4/ip_forward; mkdir /run/net.d");  // what it was is lost with the ledger
  shell(
      R"(echo '{"cniVersion": "1.0.0", "name": "away", "type": "pons", "stateDir": "/run/away"}' > /run/net.d/1.conf)");
  shell(R"(echo '{"cniVersion": "1.0.0", "name": "demo", "type": "pons", "bridge": "pons-demo",
           "ipam": {"subnet": "10.42.0.0/24"}}' > /run/net.d/3.conf)");  // whose a bridge is, no mark tells
  Network away{"away", R"("stateDir": "/run/away", "ipam": {"subnet": "10.44.0.0/24"})"};
  away.attach(host, "a1", publishing({{8090, 80}}));
  const Unchanged unchanged{host};
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1", publishing({{8081, 80}}));
  shell("rm -rf /run/pons && echo '{' > /run/net.d/2.conf");
  const Outcome looked = tool(gcCommand());
  CHECK(looked.exitCode == 1);
  CHECK_MESSAGE(contains(looked.out, "Something may still run behind a link"), looked.out);
  CHECK(contains(looked.err, "pons gc: /run/net.d/2.conf: invalid JSON"));
  shell("rm /run/net.d/2.conf; nft delete element ip pons forwards_any '{ tcp . 8081 }'");
  CHECK(tool(gcCommand({"--delete"})).ok());
  CHECK(tool(gcCommand()).out == "nothing is left behind\n");
  away.checkAll();
}

TEST_CASE("pons gc: what is no network, and a record that this pons cannot judge") {
  REQUIRE_FAKE_HOST(host);
  CHECK(contains(tool(gcCommand({"no/network"})).err, "is no name of a network"));
  Network demo{"demo", kSubnet};
  demo.attach(host, "c1");
  shell("sed -i 's/\"format\": 1/\"format\": 2/' " + recordOf(demo, "c1"));
  const Outcome looked = tool(gcCommand());
  CHECK(looked.exitCode == 1);
  CHECK(looked.out == "nothing is left behind\n");
  CHECK(contains(looked.err, "pons gc: demo c1 eth0: "));
}
