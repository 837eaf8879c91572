// pons graph: what it draws, in words that graphviz reads; and on a host.
#include "plugin/ctl/graph.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <sys/mount.h>

#include "tests/protocol/network.h"
#include "tests/tools/made_up.h"
#include "tests/tools/tool_run.h"

using namespace pons::tools;
using namespace support;

namespace {

bool hasGraphviz() { return std::filesystem::exists("/usr/bin/dot"); }

/// Graphviz' own reading of it.
Outcome readByGraphviz(const std::string& dot) {
  return run({"/usr/bin/dot", "-Tsvg"}, {.environment = {{"LANG=C.UTF-8"}}, .input = dot});
}

Item itemAt(unsigned number, const std::string& network, const std::string& bridge, unsigned ports = 0) {
  const std::string address = "10.43.0." + std::to_string(number + 2);
  std::vector<pons::PortForward> forwards;
  for (unsigned port = 0; port < ports; ++port) {
    forwards.push_back({pons::Protocol::Tcp, ip("0.0.0.0"), static_cast<pons::Port>(8000 + 100 * number + port),
                        ip(address), static_cast<pons::Port>(80 + port)});
  }
  Item item = itemOf(keyOf(idOf(number), network), {{prefix(address + "/24"), ip("10.43.0.1")}}, std::move(forwards));
  item.attachment->bridge.name = netlib::IfName::parse(bridge).value();
  return item;
}

/// 50 containers at three bridges: masqueraded, internal, and without a masquerade; one with many ports.
std::vector<Item> fiftyItems() {
  std::vector<Item> items;
  for (unsigned number = 0; number < 50; ++number) {
    if (number < 30) {
      items.push_back(itemAt(number, "web", "pons0", number == 3 ? 40 : number % 3));
    } else if (number < 40) {
      items.push_back(itemAt(number, "db", "pons-db"));
      items.back().attachment->internal = true;
    } else {
      items.push_back(itemAt(number, "lan", "br-lan"));
      items.back().attachment->sourceNats.front().masquerade = false;
    }
  }
  return items;
}

/// Names as an attacker would choose them, were he let.
Item hostileItem() {
  Item item = itemAt(1, "demo", "pons0");
  item.attachment->bridge.name = netlib::IfName::parse("b\"];\\N\xff&lt;").value();
  return item;
}

}  // namespace

TEST_CASE("pons graph draws bridges, containers, ports and ways out") {
  checkGolden("graph-0.dot", graphDot({}));
  checkGolden("graph-1.dot", graphDot({oneItem()}));
  checkGolden("graph-health.dot", graphDot(allHealths()));
  checkGolden("graph-many.dot", graphDot(fiftyItems()));
  checkGolden("graph-hostile.dot", graphDot({hostileItem()}));
}

TEST_CASE("pons graph: a label shows every byte and ends nowhere else") {
  CHECK(labelOf({}) == R"("")");
  CHECK(labelOf({"one", "two"}) == R"("one\ntwo")");
  CHECK(labelOf({R"(a"b)"}) == R"("a\"b")");
  CHECK(labelOf({R"(\N\)"}) == R"("\\N\\")");
  CHECK(labelOf({"&lt;\n"}) == R"("&amp;lt;\\n")");
  CHECK(labelOf({"\xff"}) == "\"\xef\xbf\xbd\"");
}

TEST_CASE("pons graph: graphviz reads what is drawn, whatever names there are") {
  if (!hasGraphviz()) return FakeHost::countSkip("graphviz is not there");
  for (const auto& items : {std::vector<Item>{}, {oneItem()}, allHealths(), fiftyItems()}) {
    const Outcome read = readByGraphviz(graphDot(items));
    CHECK_MESSAGE(read.ok(), read.err);
  }
  const Outcome hostile = readByGraphviz(graphDot({hostileItem()}));
  CHECK_MESSAGE(hostile.ok(), hostile.err);
  CHECK_MESSAGE(contains(hostile.out, ">b&quot;];\\N\xef\xbf\xbd&amp;lt;<"), hostile.out);
}

TEST_CASE("On a host: pons graph draws what is there, as dot or as a picture") {
  REQUIRE_FAKE_HOST(host);
  CHECK(contains(tool({"graph"}).out, "no attachments"));
  Network web{"web", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  Network store{"store", R"("internal": true, "ipam": {"subnet": "10.43.0.0/24"})"};
  const std::string address = web.attach(host, "c1", publishing({{8080, 80}}));
  store.attach(host, "c2");
  const Unchanged unchanged{host};
  const Outcome drawn = tool({"graph"});
  CHECK(drawn.ok());
  for (const std::string& part :
       {std::string{"label=\"pons-web\\n10.42.0.1/24\""}, "c1 eth0\\n" + address, std::string{"8080->80/tcp"},
        std::string{"masquerade IPv4"}, std::string{"label=\"internal\", style=dotted"}}) {
    CHECK_MESSAGE(contains(drawn.out, part), drawn.out);
  }
  CHECK(tool({"graph", "--format", "png"}).exitCode == 2);
  if (!hasGraphviz()) return FakeHost::countSkip("graphviz is not there");
  const Outcome picture = tool({"graph", "--format", "svg"});
  CHECK_MESSAGE(picture.ok(), picture.err);
  CHECK(contains(picture.out, "<svg "));
  CHECK(contains(picture.out, "8080&#45;&gt;80/tcp"));
  shell("mount -t tmpfs none /usr/bin");
  const Outcome missing = tool({"graph", "--format", "svg"});
  CHECK(missing.exitCode == 1);
  CHECK_MESSAGE(contains(missing.err, "install graphviz"), missing.err);
  umount("/usr/bin");
}
