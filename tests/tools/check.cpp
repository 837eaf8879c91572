// ponsctl check and ponsctl repair: of sample attachments, and on a host.
#include "plugin/ctl/check.h"

#include <thread>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>

#include "tests/protocol/network.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

std::string checked(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal) {
  return viewed(checkJson(statuses), checkText, terminal);
}

/// All with a broken bridge, and a fault that follows from it.
std::vector<AttachmentStatus> manyBroken(unsigned number) {
  std::vector<AttachmentStatus> statuses;
  for (unsigned i = 0; i < number; ++i) {
    statuses.push_back(statusOf(keyOf(idOf(i), i % 2 == 0 ? "demo" : "web"), {}));
    statuses.back().health = Health::Broken;
    statuses.back().faults = {
        {"bridge pons0", "bridge-pons0/" + statuses.back().key.network.toString(), {"bridge pons0", "up", "down"}},
        {"veth", "", {"veth pons0", "up", "down"}}};
  }
  return statuses;
}

std::vector<Finding> findings() {
  const pons::Fault bridge{"bridge web0", "bridge-web0/web", pons::missing("bridge web0")};
  const pons::Fault veth{"veth", "", {"veth pons1", "up", "down"}};
  const pons::Fault mac{"addresses", "", {"MAC of eth0", "0a:58:0a:2b:00:02", "02:00:00:00:00:07"}};
  const pons::Fault table{"table", "tables-ip", pons::missing("table ip pons")};
  return {{{keyOf("c1", "web"), bridge, ""}, "default/web-0"},
          {{keyOf("c1", "web"), veth, ""}, "default/web-0"},
          {{keyOf("c2"), mac, "restart the container"}},
          {{keyOf("c2"), table, "Operation not permitted"}},
          {{keyOf("c3"), table, "Operation not permitted"}}};
}

}  // namespace

TEST_CASE("Escape sequences in a path are printed escaped") {
  std::vector<AttachmentStatus> hostile{oneStatus()};
  hostile[0].health = Health::Gone;
  hostile[0].faults = {{"", "", pons::missing("network namespace \x1b[2J", pons::Remedy::CollectGarbage)}};
  const std::string text = checked(hostile, kNarrow);
  CHECK(contains(text, "\\x1b[2J"));
  CHECK(!contains(text, "\x1b"));
}

TEST_CASE(
    "ponsctl check prints a fault of shared state once, with those that it affects, then those of each container") {
  CHECK(checked({oneStatus()}, kNarrow) == "1 attachment, no faults\n");
  checkGolden("check-0.json", checkJson({}));
  checkGolden("check-1.json", checkJson({oneStatus()}));
  checkGolden("check-many-80.txt", checked(allHealths(), kNarrow));
  checkGolden("check-many-200.txt", checked(allHealths(), kWide));
  checkGolden("check-many.json", checkJson(allHealths()));
  checkWidth(checked(allHealths(), kNarrow), 80);
  auto broken = manyBroken(3);
  broken[1].attachment->pod = "default/web-0";
  // What the repair of the shared state does not restore.
  broken[2].faults.push_back({"addresses", "", pons::missing("address 10.42.0.7/24", pons::Remedy::RestartContainer)});
  std::ranges::reverse(broken);
  const auto id = [](unsigned number) { return idOf(number).substr(0, 12); };
  CHECK(checked(broken, kNarrow) ==
        "bridge pons0 is down, expected up: run \"ponsctl repair\"\n"
        "  affects 3 attachments:\n"
        "    container " +
            id(2) +
            ", eth0 in network demo\n"
            "    default/web-0 (container " +
            id(1) +
            "), eth0 in network web\n"
            "    container " +
            id(0) +
            ", eth0 in network demo\n\n"
            "container " +
            id(2) +
            ", eth0 in network demo\n"
            "  address 10.42.0.7/24 is missing: restart the container\n\n"
            "3 attachments have faults.\n"
            "Follow-up faults are hidden; --json shows all.\n");
  const std::string many = checked(manyBroken(500), kNarrow);
  CHECK(std::ranges::count(many, '\n') < 15);
  CHECK_MESSAGE(contains(many, "    and 495 more (--wide lists all)\n"), many);
  CHECK(std::ranges::count(checked(manyBroken(500), {.width = 80, .wide = true}), '\n') > 500);
}

TEST_CASE("ponsctl repair prints what was restored, and what was not and why") {
  CHECK(viewed(repairJson({}), repairText, kNarrow) == "nothing is missing\n");
  CHECK(viewed(repairJson(findings()), repairText, kNarrow) ==
        "restored: bridge web0 (was missing)\n"
        "not restored: table ip pons is missing (Operation not permitted)\n"
        "not restored: container c2, eth0 in network demo: MAC of eth0 is 02:00:00:00:00:07, expected "
        "0a:58:0a:2b:00:02 (restart the container)\n"
        "restored: default/web-0 (container c1), eth0 in network web: veth pons1 (was down)\n"
        "2 restored, 2 not restored\n");
  const auto document = pons::json::Document::parse(repairJson(findings()));
  REQUIRE(document);
  const auto all = (*document)["findings"].items();
  REQUIRE(all.size() == 5);
  CHECK(all[0]["repaired"].boolean() == true);
  CHECK(textOf(all[0]["pod"]) == "default/web-0");
  CHECK(all[2]["repaired"].boolean() == false);
  CHECK(textOf(all[2]["reason"]) == "restart the container");
}

TEST_CASE("On a host: ponsctl check groups the faults, and check --repair restores them like repair does") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool({"check"}).out == "no attachments (no state directory /run/pons yet)\n");
  CHECK(tool({"check", "--repair"}).out == "nothing is missing\n");
  CHECK(!std::filesystem::exists("/run/pons"));
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  Network web{"web", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  demo.attach(host, "c1", publishing({{8080, 80}}));
  demo.attach(host, "c2");
  web.attach(host, "w1");
  CHECK(tool({"check"}).out == "3 attachments, no faults\n");
  CHECK(tool({"check", "demo"}).out == "2 attachments, no faults\n");
  CHECK(tool({"check", "8080"}).out == "1 attachment, no faults\n");
  CHECK(contains(tool({"check", "nothing"}).err, "nothing on record is called \"nothing\""));
  CHECK(tool({"check", "demo", "--repair"}).exitCode == 2);
  CHECK(tool({"repair", "--dry-run"}).out == "3 attachments, no faults\n");

  const std::string breakAll = "ip addr flush dev pons-demo scope global; ip link set " +
                               pons::hostVethName(keyOf("w1", "web")).toString() + " down";
  for (const std::vector<std::string>& command : {std::vector<std::string>{"check", "--repair"}, {"repair"}}) {
    shell(breakAll);
    {
      const Unchanged unchanged{host};
      const Outcome found = tool({"check"});
      CHECK(found.exitCode == 1);
      CHECK_MESSAGE(contains(found.out,
                             "  affects 2 attachments:\n    container c1, eth0 in network demo\n"
                             "    container c2, eth0 in network demo\n"),
                    found.out);
      CHECK_MESSAGE(contains(found.out, "\ncontainer w1, eth0 in network web\n  "), found.out);
      CHECK_MESSAGE(contains(found.out, "\n3 attachments have faults.\n"), found.out);
      CHECK(tool({"repair", "--dry-run"}).out == found.out);
      const Outcome one = tool({"check", "w1"});
      CHECK(one.exitCode == 1);
      CHECK_MESSAGE(contains(one.out, "\n1 attachment has faults.\n"), one.out);
      CHECK(tool({"repair", "--dry-run"}).exitCode == 1);
    }
    const Outcome restored = tool(command);
    CHECK_MESSAGE(restored.ok(), restored.out);
    CHECK_MESSAGE(contains(restored.out, "(was missing)\n"), restored.out);
    CHECK_MESSAGE(contains(restored.out, "restored: container w1, eth0 in network web: "), restored.out);
    CHECK_MESSAGE(!contains(restored.out, "not restored"), restored.out);
    CHECK(tool({"check"}).ok());
    demo.checkAll();
    web.checkAll();
  }
  shell("nft flush ruleset; ip -n c2 addr flush dev eth0");
  const auto document = jsonOf(tool({"check", "--json"}));
  CHECK(document["attachments"].integer() == 3);
  const auto broken = document["broken"].items();
  REQUIRE(broken.size() == 3);
  const auto fault = broken[0]["faults"].items().at(0);
  CHECK(textOf(fault["actual"]) == "missing");
  CHECK(textOf(fault["what"]) == textOf(fault["subject"]) + " is missing");
  CHECK(textOf(fault["remedy"]) == "run \"ponsctl repair\"");
  const Outcome partly = tool({"check", "--repair"});
  CHECK(partly.exitCode == 1);
  CHECK_MESSAGE(contains(partly.out, "not restored: container c2, eth0 in network demo: "), partly.out);
  CHECK_MESSAGE(contains(partly.out, " (restart the container)\n"), partly.out);
  host.endNamespace("/run/netns/c1");
  CHECK(contains(tool({"check"}, {"COLUMNS=300"}).out, "run \"ponsctl gc --delete\"\n"));

  // What several steps of the two living ones miss is listed once, and all that comes back is.
  shell("nft flush ruleset");
  const std::string flushed = tool({"check"}).out;
  const std::string restored = tool({"repair"}).out;
  for (const std::string table : {"table ip pons", "table bridge pons"}) {
    CHECK_MESSAGE(contains(flushed, table + " is missing: run \"ponsctl repair\"\n  affects 2 attachments:"), flushed);
    CHECK_MESSAGE(contains(restored, "restored: " + table + " (was missing)\n"), restored);
  }

  std::filesystem::remove_all("/run/pons");
  for (const char* command : {"check", "repair", "list"}) {
    const Outcome lost = tool({command});
    CHECK(lost.exitCode == 1);
    CHECK_MESSAGE(contains(lost.err, "there is no state directory /run/pons, but links or tables"), lost.err);
  }
}

TEST_CASE("On a host: ponsctl check names the file of a damaged record, the place, and the remedy") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  demo.attach(host, "c1");
  const std::string file = "/run/pons/networks/demo/attachments/c1:eth0.json";
  const std::string whole = contentOf(file);
  const auto fault = [&](const std::string& command) {
    setContent(file, whole);
    shell(command + " " + file);
    const Outcome looked = tool({"check", "c1"}, {"COLUMNS=300"});
    CHECK(looked.exitCode == 1);
    return looked.out;
  };
  const std::string subject = "\n  record " + file + " is damaged (";
  const std::string remedy = "), expected readable: restart the container\n";
  CHECK(contains(fault("echo noise >"), subject + "invalid JSON at line 1, column 2: Invalid value." + remedy));
  CHECK(contains(fault("truncate --size 100"), subject + "invalid JSON at line "));
  CHECK(contains(fault("sed -i 's/\"hairpin\": [a-z]*/\"hairpin\": 7/'"),
                 subject + "damaged record: \"hairpin\" is missing or invalid at line "));
  CHECK(contains(fault("sed -i 's/\"c1\"/\"c2\"/'"), subject + "of another attachment" + remedy));
  CHECK(contains(fault("sed -i 's/\"format\": 1/\"format\": 2/'"),
                 "\n  record " + file + ": written by a newer pons (format 2)\n"));
  setContent(file, whole);
  demo.checkAll();
}

TEST_CASE("On a host: ponsctl repair: its arguments, its state directory, and nothing to do") {
  REQUIRE_FAKE_HOST(host);
  CHECK(repair().out == "nothing is missing\n");
  CHECK(repair({"--help"}).exitCode == 0);
  for (const std::vector<std::string>& wrong :
       {std::vector<std::string>{"--unknown"}, {"--state-dir"}, {"again"}, {"--dry-run", "more"}}) {
    const Outcome misused = repair(wrong);
    CHECK(misused.exitCode == 2);
    CHECK(misused.out.empty());
    CHECK(misused.err.starts_with("ponsctl: "));
  }
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"}, "stateDir": "/run/elsewhere")"};
  demo.attach(host, "c1");
  shell("nft flush ruleset");
  CHECK(repair().out == "nothing is missing\n");
  CHECK(repair({"--state-dir", "/run/elsewhere", "--dry-run"}).exitCode == 1);
  CHECK(repair({"--state-dir=/run/elsewhere"}).ok());
  demo.checkAll();
  shell("chmod 0777 /run/elsewhere");
  const Outcome refused = repair({"--state-dir", "/run/elsewhere"});
  CHECK(refused.exitCode == 1);
  CHECK(contains(refused.err, "is writable by other users"));
}

TEST_CASE("On a host: ponsctl repair waits for those who inspect an attachment, not for its ADD or DEL") {
  for (const std::size_t inspected : {std::size_t{1}, std::size_t{2}}) {
    CAPTURE(inspected);
    REQUIRE_FAKE_HOST(host);
    Network demo{"demo", R"("ipMasq": true, "ipam": {"subnet": "10.42.0.0/24"})"};
    std::vector<netlib::UniqueFd> locks;
    for (std::size_t i = 0; i < inspected; ++i) {
      const std::string name = "c" + std::to_string(i);
      demo.attach(host, name);
      locks.emplace_back(open(recordOf(demo, name).c_str(), O_RDWR | O_CLOEXEC));
      REQUIRE(flock(locks.back().get(), LOCK_EX) == 0);
    }
    shell("nft flush ruleset");
    std::thread inspection{[&locks] {
      std::this_thread::sleep_for(std::chrono::milliseconds{150});
      locks.clear();
    }};
    CHECK(contains(repair().out, "restored: "));
    inspection.join();
    demo.checkAll();

    const netlib::UniqueFd deletion{open(recordOf(demo, "c0").c_str(), O_RDWR | O_CLOEXEC)};
    REQUIRE(flock(deletion.get(), LOCK_EX) == 0);
    // In place: the lock is the inode's.
    shell("sed 's/committed/deleting/' " + recordOf(demo, "c0") + " > /run/record");
    REQUIRE(contains(contentOf("/run/record"), "deleting"));
    setContent(recordOf(demo, "c0"), contentOf("/run/record"));
    const auto start = std::chrono::steady_clock::now();
    CHECK(repair().ok());
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::milliseconds{900});
  }
}
