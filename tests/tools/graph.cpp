// ponsctl graph: its DOT output, read by graphviz, and on a host.
#include "plugin/ctl/graph.h"

#include <filesystem>

#include <doctest/doctest.h>
#include <sys/mount.h>

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

bool hasGraphviz() { return std::filesystem::exists("/usr/bin/dot"); }

/// Rendered by graphviz.
Outcome readByGraphviz(const std::string& dot) {
  return run({"/usr/bin/dot", "-Tsvg"}, {.environment = {{"LANG=C.UTF-8"}}, .input = dot});
}

AttachmentStatus statusAt(unsigned number, const std::string& network, const std::string& bridge, unsigned ports = 0) {
  const std::string address = "10.43.0." + std::to_string(number + 2);
  std::vector<pons::PortForward> forwards;
  for (unsigned port = 0; port < ports; ++port) {
    forwards.push_back({pons::Protocol::Tcp, ip("0.0.0.0"), static_cast<pons::Port>(8000 + 100 * number + port),
                        ip(address), static_cast<pons::Port>(80 + port)});
  }
  AttachmentStatus status =
      statusOf(keyOf(idOf(number), network), {{prefix(address + "/24"), ip("10.43.0.1")}}, std::move(forwards));
  status.attachment->bridge.name = netlib::IfName::parse(bridge).value();
  return status;
}

/// 50 containers on three bridges: masqueraded, internal, and not masqueraded; one has many ports.
std::vector<AttachmentStatus> fiftyStatuses() {
  std::vector<AttachmentStatus> statuses;
  for (unsigned number = 0; number < 50; ++number) {
    if (number < 30) {
      statuses.push_back(statusAt(number, "web", "pons0", number == 3 ? 40 : number % 3));
    } else if (number < 40) {
      statuses.push_back(statusAt(number, "db", "pons-db"));
      statuses.back().attachment->internal = true;
    } else {
      statuses.push_back(statusAt(number, "lan", "br-lan"));
      statuses.back().attachment->sourceNats.front().masquerade = false;
    }
  }
  return statuses;
}

/// A bridge name with special characters of DOT.
AttachmentStatus hostileStatus() {
  AttachmentStatus status = statusAt(1, "demo", "pons0");
  status.attachment->bridge.name = netlib::IfName::parse("b\"];\\N\xff&lt;").value();
  return status;
}

/// A bridge that is missing, a table that is, and two containers with policies.
std::vector<AttachmentStatus> faultyStatuses() {
  std::vector<AttachmentStatus> statuses{statusAt(0, "web", "web0", 3), statusAt(1, "web", "web0")};
  for (AttachmentStatus& status : statuses) {
    status.health = Health::Broken;
    status.attachment->ingress = pons::IngressPolicy::Isolated;
    status.faults = {{"bridge web0", "bridge-web0/web", pons::missing("bridge web0")},
                     {"table", "tables-ip", pons::missing("table ip pons")}};
  }
  std::ranges::reverse(statuses[0].attachment->forwards);
  statuses[1].attachment->egress.emplace();
  statuses[1].attachment->isolated = true;
  return statuses;
}

}  // namespace

TEST_CASE("ponsctl graph draws bridges, containers, ports and uplinks") {
  checkGolden("graph-0.dot", graphDot({}));
  checkGolden("graph-1.dot", graphDot({oneStatus()}));
  checkGolden("graph-health.dot", graphDot(allHealths()));
  checkGolden("graph-many.dot", graphDot(fiftyStatuses()));
  checkGolden("graph-hostile.dot", graphDot({hostileStatus()}));
}

TEST_CASE("ponsctl graph: a missing bridge is red and dashed, and so is an uplink with a fault; policies are shown") {
  const std::string dot = graphDot(faultyStatuses());
  CHECK_MESSAGE(contains(dot, R"(label="web0\n10.43.0.1/24\ningress isolated\nmissing", color="#c62828")"), dot);
  CHECK_MESSAGE(contains(dot, R"(style="filled,dashed")"), dot);
  CHECK_MESSAGE(contains(dot, R"(label="masquerade IPv4\ntable ip pons is missing", color="#c62828")"), dot);
  CHECK_MESSAGE(contains(dot, R"(\negress policy\nport isolation\nbroken")"), dot);
  CHECK_MESSAGE(contains(dot, R"(label="8000->80/tcp\n8001->81/tcp\n8002->82/tcp")"), dot);
}

TEST_CASE("ponsctl graph --format text: a tree of bridges and containers") {
  CHECK(graphText({}, kNarrow) == "no attachments\n");
  const auto id = [](unsigned number) { return idOf(number).substr(0, 12); };
  CHECK(graphText(faultyStatuses(), kWide) ==
        "web0  missing  10.43.0.1/24  network web  masquerade IPv4  ingress isolated\n"
        "table ip pons is missing\n"
        "├─ " +
            id(0) +
            " eth0  10.43.0.2  8000->80/tcp, 8001->81/tcp, 8002->82/tcp                                 broken\n"
            "└─ " +
            id(1) +
            " eth0  10.43.0.3                                            egress policy, port isolation  broken\n");
  checkGolden("graph-many-80.txt", graphText(allHealths(), kNarrow));
  checkWidth(graphText(fiftyStatuses(), kNarrow), 80);
}

TEST_CASE("ponsctl graph: special characters in labels are escaped") {
  CHECK(labelOf({}) == R"("")");
  CHECK(labelOf({"one", "two"}) == R"("one\ntwo")");
  CHECK(labelOf({R"(a"b)"}) == R"("a\"b")");
  CHECK(labelOf({R"(\N\)"}) == R"("\\N\\")");
  CHECK(labelOf({"&lt;\n"}) == R"("&amp;lt;\\n")");
  CHECK(labelOf({"\xff"}) == "\"\xef\xbf\xbd\"");
}

TEST_CASE("ponsctl graph: graphviz reads the output, with any names") {
  if (!hasGraphviz()) return FakeHost::countSkip("graphviz is not installed");
  for (const auto& statuses : {std::vector<AttachmentStatus>{}, {oneStatus()}, allHealths(), fiftyStatuses()}) {
    const Outcome read = readByGraphviz(graphDot(statuses));
    CHECK_MESSAGE(read.ok(), read.err);
  }
  const Outcome hostile = readByGraphviz(graphDot({hostileStatus()}));
  CHECK_MESSAGE(hostile.ok(), hostile.err);
  CHECK_MESSAGE(contains(hostile.out, ">b&quot;];\\N\xef\xbf\xbd&amp;lt;<"), hostile.out);
}

TEST_CASE("On a host: ponsctl graph shows what is broken") {
  REQUIRE_FAKE_HOST(host);
  Network web{"web", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  web.attach(host, "c1");
  shell("nft delete table ip pons");
  const std::string unmasked = tool({"graph", "--format", "text"}).out;
  CHECK_MESSAGE(contains(unmasked, "\ntable ip pons is missing\n"), unmasked);
  CHECK(contains(tool({"graph"}).out,
                 R"(table ip pons is missing", color="#c62828", fontcolor="#c62828", style=dashed)"));
  shell("ip link del pons-web");
  const std::string unplugged = tool({"graph", "--format", "text"}).out;
  CHECK_MESSAGE(unplugged.starts_with("pons-web  missing  10.42.0.1/24  network web"), unplugged);
  CHECK(contains(tool({"graph"}).out, R"(label="pons-web\n10.42.0.1/24\nmissing", color="#c62828")"));
}

TEST_CASE("On a host: ponsctl graph draws the attachments, as DOT or SVG") {
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
  const Outcome tree = tool({"graph", "--format", "text"});
  CHECK_MESSAGE(contains(tree.out, "pons-web  10.42.0.1/24  network web  masquerade IPv4\n└─ c1 eth0  " + address),
                tree.out);
  CHECK(tool({"graph", "--format", "png"}).exitCode == 2);
  if (!hasGraphviz()) return FakeHost::countSkip("graphviz is not installed");
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
