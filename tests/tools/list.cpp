// ponsctl list and ponsctl check: of sample attachments, and on a host.
#include "plugin/ctl/list.h"

#include <doctest/doctest.h>

#include "plugin/ctl/check.h"

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

std::vector<AttachmentStatus> many(unsigned number) {
  std::vector<AttachmentStatus> statuses;
  for (unsigned i = 0; i < number; ++i) {
    const std::string last = std::to_string(i / 250) + "." + std::to_string(i % 250 + 2);
    statuses.push_back(statusOf(keyOf(idOf(i)), {{prefix("10.42." + last + "/16"), ip("10.42.0.1")}}));
  }
  return statuses;
}

}  // namespace

TEST_CASE("ponsctl list prints one line per attachment, at most as wide as the terminal") {
  CHECK(listText({}, kNarrow) == "no attachments\n");
  checkGolden("list-0.json", listJson({}));
  checkGolden("list-1-80.txt", listText({oneStatus()}, kNarrow));
  checkGolden("list-1-200.txt", listText({oneStatus()}, kWide));
  checkGolden("list-1.json", listJson({oneStatus()}));
  checkGolden("list-many-80.txt", listText(allHealths(), kNarrow));
  checkGolden("list-many-200.txt", listText(allHealths(), kWide));
  checkGolden("list-many.json", listJson(allHealths()));
  checkGolden("list-coloured.txt", listText(allHealths(), {.width = 80, .hasColours = true}));
  for (const Terminal& terminal : {kNarrow, kWide}) {
    const std::string text = listText(many(500), terminal);
    CHECK(std::ranges::count(text, '\n') == 501);
    checkWidth(text, terminal.width);
  }
}

TEST_CASE("Container IDs with a common prefix are shortened to a length at which they differ") {
  auto alike = many(2);
  alike[0].key.container = pons::ContainerId::parse("aaaaaaaaaaaaaaaaaaaa1" + std::string(40, 'b')).value();
  alike[1].key.container = pons::ContainerId::parse("aaaaaaaaaaaaaaaaaaaa2" + std::string(40, 'b')).value();
  const std::string text = listText(alike, kNarrow);
  CHECK(contains(text, " aaaaaaaaaaaaaaaaaaaa1 "));
  CHECK(contains(text, " aaaaaaaaaaaaaaaaaaaa2 "));
}

TEST_CASE("Escape sequences in a path are printed escaped") {
  auto hostile = many(1);
  hostile[0].health = Health::Gone;
  hostile[0].faults = {{"", "", pons::missing("network namespace \x1b[2J", pons::Remedy::CollectGarbage)}};
  const std::string text = checkText(hostile, kNarrow);
  CHECK(contains(text, "\\x1b[2J"));
  CHECK(!contains(text, "\x1b"));
}

TEST_CASE("ponsctl check prints the faults, those of shared state once, and the remedies") {
  CHECK(checkText({}, kNarrow) == "no attachments\n");
  CHECK(checkText({oneStatus()}, kNarrow) == "1 attachment, no faults\n");
  CHECK(checkText(many(500), kNarrow) == "500 attachments, no faults\n");
  checkGolden("check-0.json", checkJson({}));
  checkGolden("check-1.json", checkJson({oneStatus()}));
  checkGolden("check-many-80.txt", checkText(allHealths(), kNarrow));
  checkGolden("check-many-200.txt", checkText(allHealths(), kWide));
  checkGolden("check-many.json", checkJson(allHealths()));
  auto all = many(500);
  for (AttachmentStatus& status : all) {
    status.health = Health::Broken;
    status.faults = {{"bridge pons0", "bridge-pons0/demo", {"bridge pons0", "up", "down"}},
                     {"veth", "", {"veth pons0", "up", "down"}}};
  }
  const std::string text = checkText(all, kNarrow);
  CHECK_MESSAGE(contains(text, "demo     500 attachments             bridge pons0 is down, expected up: run\n"), text);
  CHECK(std::ranges::count(text, '\n') < 8);
  CHECK(contains(text, "Follow-up faults are hidden"));
  // What the repair of the shared state does not restore is shown.
  all.front().faults.push_back(
      {"addresses", "", pons::missing("address 10.42.0.7/24", pons::Remedy::RestartContainer)});
  CHECK(contains(checkText(all, kWide), "address 10.42.0.7/24 is missing: restart the container\n"));
}

TEST_CASE("On a host: ponsctl list and ponsctl check print the state, the faults and the health of attachments") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool({"list"}).out == "no attachments (no state directory /run/pons yet)\n");
  CHECK(tool({"check"}).out == "no attachments (no state directory /run/pons yet)\n");
  CHECK(!std::filesystem::exists("/run/pons"));

  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  const std::string address = demo.attach(host, "c1", publishing({{8080, 80}}));
  demo.attach(host, "c2");
  {
    const Unchanged unchanged{host};
    const Outcome listed = tool({"list"});
    CHECK(listed.ok());
    CHECK_MESSAGE(contains(listed.out, "demo     c1         eth0       " + address + ","), listed.out);
    CHECK(contains(listed.out, "8080->80/tcp"));
    CHECK(contains(listed.out, " ok\n"));
    CHECK(tool({"check"}).out == "2 attachments, no faults\n");
    const auto document = jsonOf(tool({"list", "--json"}));
    const auto attachments = document["attachments"].items();
    REQUIRE(attachments.size() == 2);
    CHECK(textOf(attachments[0]["health"]) == "ok");
    CHECK(attachments[0]["ageSeconds"].integer().value_or(-1) >= 0);
    CHECK(attachments[0]["ports"].items().size() == 2);
  }
  shell("nft flush ruleset");
  CHECK(tool({"check"}).exitCode == 1);
  CHECK(contains(tool({"check"}).out, "2 attachments"));
  CHECK(contains(tool({"check"}, {"COLUMNS=300"}).out, ": run \"ponsctl repair\"\n"));
  const auto checked = jsonOf(tool({"check", "--json"}));
  const auto broken = checked["broken"].items();
  REQUIRE(broken.size() == 2);
  const auto fault = broken[0]["faults"].items().at(0);
  CHECK(textOf(fault["actual"]) == "missing");
  CHECK(textOf(fault["expected"]) != "");
  CHECK(textOf(fault["what"]).ends_with(" is missing"));
  CHECK(textOf(fault["remedy"]) == "run \"ponsctl repair\"");
  CHECK(contains(tool({"list"}).out, " broken\n"));
  CHECK(repair().ok());
  host.endNamespace("/run/netns/c2");
  shell("echo noise > " + recordOf(demo, "c1"));
  const std::string listed = tool({"list"}).out;
  CHECK_MESSAGE(contains(listed, " unreadable\n"), listed);
  CHECK_MESSAGE(contains(listed, " gone\n"), listed);
  CHECK(contains(tool({"check"}, {"COLUMNS=300"}).out, "ponsctl gc --delete"));
  const Outcome mistyped = tool({"list", "--state-dir", "/run/elsewhere"});
  CHECK(mistyped.exitCode == 1);
  CHECK(mistyped.err == "ponsctl list: there is no state directory /run/elsewhere; on this host: /run/pons\n");
  shell("chmod 0777 /run/pons");
  const Outcome refused = tool({"list"});
  CHECK(refused.exitCode == 1);
  CHECK(contains(refused.err, "ponsctl list: /run/pons is writable by other users"));
}
