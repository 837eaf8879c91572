// ponsctl explain: of valid and invalid configurations.
#include "plugin/ctl/explain.h"

#include <fstream>

#include <doctest/doctest.h>

#include "plugin/ctl/report.h"

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/support/scratch.h"
#include "tests/tools/samples.h"
#include "tests/tools/tool_run.h"

using namespace pons::ctl;
using namespace support;

namespace {

constexpr const char* kDirectory = "/run/pons";

Explained explainedText(const std::string& text) { return explained(text, "demo.conflist", kDirectory); }

const std::string kOne =
    R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "ipam": {"subnet": "10.42.0.0/24"}})";

const std::string kMany = R"({
  "cniVersion": "1.0.0",
  "name": "demo",
  "ipMasq": true,
  "plugins": [
    {
      "type": "pons",
      "brige": "pons9",
      "ipMasq": false,
      "ingressPolicy": "isolated",
      "bandwidth": {"ingressRate": 1000000, "ingresRate": 5},
      "dns": {"nameservers": ["192.0.2.53"], "domain": "example.org"},
      "capabilities": {"portMappings": true, "aliases": true},
      "ipam": {
        "subnett": 1,
        "ranges": [[{"subnet": "10.42.0.0/24", "gatway": "10.42.0.9"}], [{"subnet": "fd42::/64"}]]
      }
    },
    {"type": "calico", "whatever": 1},
    {"type": "portmap", "snat": false, "masqAll": true},
    {"type": "tuning"}
  ]
})";

std::string textOf(const Explained& whole, const Terminal& terminal) {
  return viewed(whole.json, explainText, terminal);
}

/// The message and the position of the error in the text.
std::string errorIn(const std::string& text) {
  const Explained whole = explainedText(text);
  CHECK(!whole.isValid);
  const std::string shown = textOf(whole, kWide);
  const std::size_t at = shown.find("demo.conflist:");
  return at == std::string::npos ? shown : shown.substr(at, shown.find('\n', at) - at);
}

}  // namespace

TEST_CASE("ponsctl explain prints the effect of each key, why others are ignored, and what ADD would do") {
  checkGolden("explain-1-80.txt", textOf(explainedText(kOne), kNarrow));
  checkGolden("explain-1-200.txt", textOf(explainedText(kOne), kWide));
  checkGolden("explain-1.json", explainedText(kOne).json);
  checkGolden("explain-many-80.txt", textOf(explainedText(kMany), kNarrow));
  checkGolden("explain-many-200.txt", textOf(explainedText(kMany), kWide));
  checkGolden("explain-many.json", explainedText(kMany).json);
  checkWidth(textOf(explainedText(kMany), kNarrow), 80);
  const std::string foreign =
      R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "ipam": {"type": "dhcp", "x": 1}})";
  checkGolden("explain-dhcp-80.txt", textOf(explainedText(foreign), kNarrow));
}

TEST_CASE("ponsctl explain prints line and column of an error") {
  CHECK(errorIn("{\n  \"name\": \"demo\",\n  \"type\" \"pons\"}") ==
        "demo.conflist:3:10: invalid JSON: Missing a colon after a name of object member.");
  CHECK(errorIn("{\n  \"name\": \"demo\",\n}") == "demo.conflist:2:17: invalid JSON: this comma is one too many");
  CHECK(errorIn(std::string{"\x7f"
                            "ELF\0\0",
                            6}) == "demo.conflist:1:5: invalid JSON: a zero byte, as in a binary file");
  CHECK(errorIn("{\"name\": \"demo\"}") ==
        "demo.conflist:1:1: neither \"type\" (configuration) nor \"plugins\" (configuration list) is present");
  CHECK(errorIn("{\"plugins\": 5}") == "demo.conflist:1:13: \"plugins\" must be a non-empty array");
  CHECK(errorIn("{\"plugins\": [{\"type\": \"pons\"},\n {\"x\": 1}]}") ==
        "demo.conflist:2:2: \"plugins[1].type\" is missing");
  CHECK(errorIn("{\"plugins\": [\n {\"type\": \"pons\"}]}") == "demo.conflist:2:2: missing network name");
  CHECK(textOf(explainedText("{\"plugins\": [\n {\"type\": \"pons\"}]}"), kWide).starts_with("demo.conflist:2:2: "));
  const std::string head =
      "{\"cniVersion\": \"1.0.0\", \"name\": \"demo\", \"plugins\": [\n  {\"type\": \"pons\",\n   ";
  CHECK(errorIn(head + "\"ipMasq\": 7}]}") == "demo.conflist:3:14: invalid \"ipMasq\": 7, expected true or false");
  CHECK(errorIn(head + "\"IPAM\": {\"ranges\": [[{\"subnet\": \"10.0.0.1/24\"}]]}}]}") ==
        "demo.conflist:3:25: \"ipam.ranges[0][0]\": subnet 10.0.0.1/24 has host bits set: did you mean 10.0.0.0/24?");
  CHECK(errorIn(head + "\"ipam\": {\"ranges\": [[{}]]}}]}") ==
        "demo.conflist:3:25: \"ipam.ranges[0][0].subnet\" is missing");
  CHECK(errorIn(head + "\"ipMasqBackend\": \"iptables\"}]}")
            .starts_with("demo.conflist:3:21: unsupported \"ipMasqBackend\": \"iptables\""));
  const Explained wide =
      explainedText(head + "\"" + std::string(90, 'x') + "\": 1, \"vlan\": \"" + std::string(100, 'y') + "\"}]}");
  checkWidth(textOf(wide, kNarrow), 80);
  CHECK(errorIn("{\"cniVersion\": \"9.0.0\",\n \"name\": \"demo\", \"type\": \"pons\"}") ==
        "demo.conflist:1:16: incompatible CNI versions");
}

TEST_CASE("ponsctl explain prints the effect of each key in an object, or that of the object if there is none") {
  const auto effects = [](const std::string& policy) {
    const Explained whole =
        explainedText(pons::test::config(R"("ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": )" + policy));
    REQUIRE(whole.isValid);
    const auto document = pons::json::Document::parse(whole.json);
    std::vector<std::string> texts;
    for (const auto& key : (*document)["plugins"].items().at(0)["keys"].items()) {
      const std::string name{key["key"].string().value_or("")};
      if (name.starts_with("egressPolicy")) texts.push_back(name + ": " + std::string{*key["effect"].string()});
    }
    return texts;
  };
  CHECK(effects("{}") == std::vector<std::string>{
                             "egressPolicy: the connections that the container may open; {} denies all; replies pass"});
  CHECK(effects(
            R"({"allowedCidrs": ["192.0.2.0/24"], "allowedTcpPorts": [443], "allowDns": false, "logDenied": true})") ==
        std::vector<std::string>{
            "egressPolicy.allowedCidrs: allowed destinations; other connections are denied and counted",
            "egressPolicy.allowedTcpPorts: allowed TCP ports of these destinations; UDP only with allowedUdpPorts",
            "egressPolicy.allowDns: DNS needs allowedCidrs and its port like any other connection",
            "egressPolicy.logDenied: denials are logged by the kernel, rate-limited to 5 per minute"});
}

TEST_CASE("ponsctl explain: a key that is probably misspelt is said first, and ends in exit code 1") {
  const Scratch directory;
  const auto explain = [&](const std::string& members) {
    std::ofstream{directory / "x.conf"} << pons::test::config(members);
    return tool({"explain", directory / "x.conf", "--json"});
  };
  const Outcome misspelt = explain(R"("brige": {"deep": [1, "two"]})");
  CHECK(misspelt.exitCode == 1);
  const auto document = jsonOf(misspelt);
  CHECK(isTrue(document["valid"]));
  CHECK(numberIn(document["mistakes"]) == 1);
  const auto ignored = document["plugins"].items().front()["ignored"].items();
  REQUIRE(ignored.size() == 1);
  CHECK(ignored.front()["value"]["deep"].items().back().string() == "two");
  CHECK(tool({"explain", directory / "x.conf"}).out.starts_with(directory / "x.conf: valid, but 1 key is ignored\n"));
  CHECK(explain(R"("capabilities": {"aliases": true})").ok());
  // A value at the limit of depth is one of a deeper document.
  CHECK(contains(explain("\"x\": " + std::string(60, '[') + std::string(60, ']')).out, "unknown key"));
  CHECK(contains(tool({"explain", directory / "x.conf"}).out, "x: [[[["));
}

TEST_CASE("ponsctl explain lists wrong settings of the log as ignored, and not among the effective ones") {
  const Explained whole = explainedText(
      R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "logLevel": "loud", "logFile": 7, "logFormat": "json"})");
  CHECK(whole.isValid);
  const auto document = pons::json::Document::parse(whole.json);
  REQUIRE(document);
  const auto plugin = (*document)["plugins"].items().at(0);
  std::vector<std::string> ignored;
  for (const auto& key : plugin["ignored"].items()) ignored.push_back(textOf(key["key"]) + " " + key["value"].text());
  CHECK(ignored == std::vector<std::string>{"logLevel \"loud\"", "logFile 7"});
  CHECK(contains(textOf(plugin["ignored"].items().front()["why"]), "expected trace, debug"));
  std::vector<std::string> effective;
  for (const auto& key : plugin["keys"].items()) effective.push_back(textOf(key["key"]));
  CHECK(std::ranges::count(effective, "logFormat") == 1);
  CHECK(std::ranges::count(effective, "logLevel") + std::ranges::count(effective, "logFile") == 0);
}

TEST_CASE("ponsctl explain of each example configuration, and its exit codes") {
  for (const auto& file : std::filesystem::directory_iterator{std::string{PONS_SOURCE_DIR} + "/conf-examples"}) {
    CAPTURE(file.path().string());
    const Outcome explained = tool({"explain", file.path()});
    CHECK_MESSAGE(explained.ok(), explained.out);
    CHECK(!contains(explained.out, "is ignored"));
    CHECK(contains(explained.out, "What ADD would do"));
  }
  REQUIRE_FAKE_HOST(host);
  const Unchanged unchanged{host};
  shell("echo '{\"name\": \"demo\",' > /run/broken.conf");
  const Outcome broken = tool({"explain", "/run/broken.conf"});
  CHECK(broken.exitCode == 1);
  CHECK(broken.out.starts_with("/run/broken.conf:2:1: "));
  CHECK(jsonOf(tool({"explain", "--json", "/run/broken.conf"}))["error"]["line"].integer() == 2);
  const Outcome missing = tool({"explain", "/run/missing.conf"});
  CHECK(missing.exitCode == 1);
  CHECK(missing.err == "ponsctl explain: no file \"/run/missing.conf\"\n");
  const Outcome hasColours = tool({"explain", "/run/\x1b[31mred.conf"});
  CHECK(contains(hasColours.err, "/run/\\x1b[31mred.conf"));
  // Deeper than kMaxDepth: RapidJSON's parser is recursive.
  std::ofstream{"/run/deep.conf"} << "{\"a\": " << std::string(200'000, '[');
  const Outcome deep = tool({"explain", "/run/deep.conf"});
  CHECK(deep.exitCode == 1);
  CHECK(contains(deep.out, "nested deeper"));
}

TEST_CASE("ponsctl explain reads a pipe and /dev/stdin like a file") {
  const Scratch directory;
  const std::string file = directory / "1.conf";
  std::ofstream{file} << kOne;
  const Outcome read = tool({"explain", file});
  REQUIRE_MESSAGE(read.ok(), read.err);
  const std::string explain = std::string{PONSCTL_BINARY} + " explain ";
  for (const std::string& command : {explain + "<(cat " + file + ")", "cat " + file + " | " + explain + "/dev/stdin",
                                     explain + "/dev/stdin < " + file}) {
    CAPTURE(command);
    const Outcome piped = run({"bash", "-c", command});
    CHECK_MESSAGE(piped.ok(), piped.err);
    CHECK(piped.out.substr(piped.out.find('\n')) == read.out.substr(read.out.find('\n')));  // without the file's name
  }
}
