// ponsctl list: of sample attachments, and on a host.
#include "plugin/ctl/list.h"

#include <sstream>
#include <tuple>

#include <doctest/doctest.h>

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

std::string listed(const std::vector<AttachmentStatus>& statuses, const Terminal& terminal,
                   const std::string& sort = "health") {
  const View view = [&sort](const auto& root, const Terminal& to) { return listText(root, to, sort); };
  return viewed(listJson(statuses), view, terminal);
}

/// The first words of the lines after the titles.
std::vector<std::string> wordsIn(const std::string& table, std::size_t column) {
  std::vector<std::string> found;
  std::istringstream lines{table};
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line) && !line.empty()) {
    std::istringstream words{line};
    std::string word;
    for (std::size_t i = 0; i <= column; ++i) words >> word;
    found.push_back(word);
  }
  return found;
}

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("ponsctl list prints one line per attachment, at most as wide as the terminal") {
  checkGolden("list-0.json", listJson({}));
  checkGolden("list-1-80.txt", listed({oneStatus()}, kNarrow));
  checkGolden("list-1-200.txt", listed({oneStatus()}, kWide));
  checkGolden("list-1.json", listJson({oneStatus()}));
  checkGolden("list-many-80.txt", listed(allHealths(), kNarrow));
  checkGolden("list-many-200.txt", listed(allHealths(), kWide));
  checkGolden("list-many.json", listJson(allHealths()));
  checkGolden("list-coloured.txt", listed(allHealths(), {.width = 80, .hasColours = true}));
  for (const Terminal& terminal : {kNarrow, kWide}) {
    const std::string text = listed(many(500), terminal);
    CHECK(std::ranges::count(text, '\n') == 501);
    checkWidth(text, terminal.width);
  }
}

TEST_CASE("Container IDs with a common prefix are shortened to a length at which they differ") {
  auto alike = many(2);
  alike[0].key.container = pons::ContainerId::parse("aaaaaaaaaaaaaaaaaaaa1" + std::string(40, 'b')).value();
  alike[1].key.container = pons::ContainerId::parse("aaaaaaaaaaaaaaaaaaaa2" + std::string(40, 'b')).value();
  const std::string text = listed(alike, kNarrow);
  CHECK(contains(text, " aaaaaaaaaaaaaaaaaaaa1 "));
  CHECK(contains(text, " aaaaaaaaaaaaaaaaaaaa2 "));
}

TEST_CASE("ponsctl list: faults are first, or what --sort says; numbers in texts compare as numbers") {
  std::vector<AttachmentStatus> statuses;
  for (const auto& [network, last, health, age] :
       {std::tuple{"a", "10", Health::Ok, 9}, {"b", "9", Health::Adding, 100}, {"c", "100", Health::Broken, 20}}) {
    statuses.push_back(statusOf(keyOf(idOf(7), network), {{prefix("10.42.0." + std::string{last} + "/24"), {}}}));
    statuses.back().health = health;
    statuses.back().age = std::chrono::seconds{age};
  }
  CHECK(wordsIn(listed(statuses, kWide), 0) == Words{"c", "b", "a"});
  CHECK(wordsIn(listed(statuses, kWide, "network"), 0) == Words{"a", "b", "c"});
  CHECK(wordsIn(listed(statuses, kWide, "age"), 0) == Words{"a", "c", "b"});
  CHECK(wordsIn(listed(statuses, kWide, "addresses"), 3) == Words{"10.42.0.9", "10.42.0.10", "10.42.0.100"});
  for (const std::string& column : listColumns()) {
    CHECK_MESSAGE(wordsIn(listed(statuses, kWide, column), 0).size() == 3, column);
  }
  // Without a pod at the end.
  statuses[1].attachment->pod = "default/web-10";
  statuses[2].attachment->pod = "default/web-9";
  CHECK(wordsIn(listed(statuses, kWide, "pod"), 0) == Words{"c", "b", "a"});
}

TEST_CASE(
    "ponsctl list has a column of pods where there are any, and leaves out what is less important at 80 columns") {
  auto statuses = many(3);
  CHECK(!contains(listed(statuses, kNarrow), "POD"));
  statuses[1].attachment->pod = "kube-system/coredns-5d78c9869d-abcde";
  const std::string some = listed(statuses, kNarrow);
  CHECK_MESSAGE(contains(some, "kube-system/coredns-5d78c9869d-abcde"), some);
  CHECK_MESSAGE(contains(some, idOf(0).substr(0, 12)), some);
  CHECK_MESSAGE(!contains(some, "PORTS"), some);  // there are none
  checkWidth(some, 80);
  for (auto& status : statuses) status.attachment->pod = "kube-system/coredns-5d78c9869d-abcde";
  statuses.front().attachment->forwards = {{pons::Protocol::Tcp, ip("0.0.0.0"), 8080, ip("10.42.0.7"), 80}};
  const std::string narrow = listed(statuses, kNarrow);
  checkWidth(narrow, 80);
  for (const char* important : {"NETWORK", "POD", "ADDRESSES", "PORTS", "HEALTH"}) {
    CHECK_MESSAGE(contains(narrow, important), narrow);
  }
  CHECK_MESSAGE(!contains(narrow, "AGE"), narrow);
  const std::string unabridged = listed(statuses, {.width = 80, .wide = true});
  for (const std::string& word : {std::string{"AGE"}, std::string{"INTERFACE"}, idOf(0), idOf(2)}) {
    CHECK_MESSAGE(contains(unabridged, word), unabridged);
  }
}

TEST_CASE("ponsctl list: IPv6 addresses and ports at an address fit, and nothing is cut where there is no terminal") {
  auto statuses = many(3);
  statuses[1] = statusOf(keyOf(idOf(1), "a-network-with-a-long-name"),
                         {{prefix("2001:db8:1234:5678:9abc:def0:1234:5678/64"), ip("2001:db8:1234:5678::1")}},
                         {{pons::Protocol::Sctp, ip("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"), 65000,
                           ip("2001:db8:1234:5678:9abc:def0:1234:5678"), 65001}});
  for (const std::size_t width : {60U, 80U, 100U, 200U}) checkWidth(listed(statuses, {.width = width}), width);
  const std::string whole = listed(statuses, {.width = Terminal::kUnlimited});
  for (const std::string& word : {idOf(1), std::string{"[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65000->65001/sctp"},
                                  std::string{"AGE"}, std::string{"INTERFACE"}}) {
    CHECK_MESSAGE(contains(whole, word), whole);
  }
  CHECK(std::ranges::count(whole, '\n') == 4);
}

TEST_CASE("Output that is no terminal is as wide as COLUMNS says, else unlimited") {
  const auto widthWith = [](const char* columns) {
    return Terminal::of(-1, [&](const char* name) { return std::string{name} == "COLUMNS" ? columns : nullptr; }).width;
  };
  CHECK(widthWith("100") == 100);
  CHECK(widthWith("7") == 40);
  CHECK(widthWith(nullptr) == Terminal::kUnlimited);
  CHECK(widthWith("wide") == Terminal::kUnlimited);
}

TEST_CASE("Lines are wrapped between words, long words are broken, and help hangs below its column") {
  CHECK(wrapped("one two three", 8) == Words{"one two", "three"});
  CHECK(wrapped("", 8) == Words{""});
  CHECK(wrapped("a 0123456789abcdef b", 6) == Words{"a", "012345", "6789ab", "cdef b"});
  CHECK(wrapped("[fd42::7]:8080->80/tcp", 12) == Words{"[fd42::7]:", "8080->80/tcp"});
  CHECK(wrapped("\xc3\xa4\xc3\xb6\xc3\xbc", 2) == Words{"\xc3\xa4\xc3\xb6", "\xc3\xbc"});
  CHECK(hanging("title\n\n  --one   first second\n  a b c d e f\n", 16) ==
        "title\n\n  --one   first\n          second\n  a b c d e f\n");
}

TEST_CASE("On a host: ponsctl list prints the state and the health of attachments") {
  REQUIRE_FAKE_HOST(host);
  CHECK(tool({"list"}).out == "no attachments (no state directory /run/pons yet)\n");
  CHECK(!std::filesystem::exists("/run/pons"));

  Network demo{"demo", R"("ipam": {"ranges": [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd42::/64"}]]})"};
  const std::string address = demo.attach(host, "c1", publishing({{8080, 80}}));
  demo.attach(host, "c2");
  {
    const Unchanged unchanged{host};
    const Outcome all = tool({"list"});
    CHECK(all.ok());
    CHECK_MESSAGE(contains(all.out, "demo     c1         eth0       " + address + ","), all.out);
    CHECK(contains(all.out, "8080->80/tcp"));
    CHECK(contains(all.out, " ok\n"));
    const auto document = jsonOf(tool({"list", "--json"}));
    const auto attachments = document["attachments"].items();
    REQUIRE(attachments.size() == 2);
    CHECK(textOf(attachments[0]["health"]) == "ok");
    CHECK(attachments[0]["ageSeconds"].integer().value_or(-1) >= 0);
    CHECK(attachments[0]["ports"].items().size() == 2);
  }
  host.endNamespace("/run/netns/c2");
  shell("echo noise > " + recordOf(demo, "c1"));
  const std::string wrong = tool({"list"}).out;
  CHECK_MESSAGE(contains(wrong, " unreadable\n"), wrong);
  CHECK_MESSAGE(contains(wrong, " gone\n"), wrong);
  const Outcome mistyped = tool({"list", "--state-dir", "/run/elsewhere"});
  CHECK(mistyped.exitCode == 2);
  CHECK(mistyped.err == "ponsctl list: there is no state directory /run/elsewhere; on this host: /run/pons\n");
  shell("chmod 0777 /run/pons");
  const Outcome refused = tool({"list"});
  CHECK(refused.exitCode == 1);
  CHECK(contains(refused.err, "ponsctl list: /run/pons is writable by other users"));
}

TEST_CASE("On a host: ponsctl list --broken, --network and --sort, and --networks") {
  REQUIRE_FAKE_HOST(host);
  Network demo{"demo", R"("ipam": {"subnet": "10.42.0.0/24"})"};
  Network web{"web", R"("ipam": {"subnet": "10.43.0.0/24"})"};
  demo.attach(host, "c1");
  demo.attach(host, "c2");
  host.addNamespace("w1");
  Subject pod = subjectOf("w1");
  pod.args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=w1";
  resultOf(add(web.config(), pod));
  CHECK(tool({"list", "--broken"}).out == "no attachments with faults\n");
  const Outcome unknown = tool({"list", "--network", "demos"});
  CHECK(unknown.exitCode == 2);
  CHECK(contains(unknown.err, "ponsctl list: unknown network \"demos\": did you mean \"demo\"?"));
  shell("ip link set " + pons::hostVethName(keyOf("c2")).toString() + " down");
  CHECK(wordsIn(tool({"list"}).out, 0) == Words{"demo", "demo", "web"});
  CHECK(wordsIn(tool({"list", "--sort", "container"}).out, 0) == Words{"demo", "demo", "web"});
  CHECK(wordsIn(tool({"list", "--network", "demo"}).out, 1) == Words{"c2", "c1"});
  CHECK(wordsIn(tool({"list", "--network", "demo", "--sort", "container"}).out, 1) == Words{"c1", "c2"});
  CHECK(wordsIn(tool({"list", "--broken"}).out, 1) == Words{"c2"});
  CHECK(jsonOf(tool({"list", "--broken", "--json"}))["attachments"].items().size() == 1);
  const std::string withPod = tool({"list", "--network", "web"}).out;
  CHECK_MESSAGE(wordsIn(withPod, 1) == Words{"default/web-0"}, withPod);
  CHECK(textOf(jsonOf(tool({"list", "--network", "web", "--json"}))["attachments"].items().at(0)["pod"]) ==
        "default/web-0");
  CHECK(tool({"list", "--networks", "--config-dir", "/run/net.d"}).out ==
        tool({"networks", "--config-dir", "/run/net.d"}).out);
  CHECK(wordsIn(tool({"networks", "--config-dir", "/run/net.d"}).out, 0) == Words{"demo", "web"});
  CHECK(tool({"list", "--networks", "--broken"}).exitCode == 2);
}
