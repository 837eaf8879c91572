// pons explain: what it says of configurations, good and bad.
#include "plugin/ctl/explain.h"

#include <fstream>

#include <doctest/doctest.h>

#include "plugin/cni/decode/request.h"
#include "plugin/ctl/explain_keys.h"

#include "tests/protocol/network.h"
#include "tests/support/cni_input.h"
#include "tests/tools/made_up.h"
#include "tests/tools/tool_run.h"

using namespace pons::tools;
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

/// The message and place of the mistake that the file has.
std::string mistakeIn(const std::string& text) {
  const Explained whole = explainedText(text);
  CHECK(!whole.works());
  const std::string shown = explainText(whole, kWide);
  const std::size_t at = shown.find("demo.conflist:");
  return at == std::string::npos ? shown : shown.substr(at, shown.find('\n', at) - at);
}

}  // namespace

TEST_CASE("pons explain says what each key does, what is ignored and why, and what ADD would bring about") {
  checkGolden("explain-1-80.txt", explainText(explainedText(kOne), kNarrow));
  checkGolden("explain-1-200.txt", explainText(explainedText(kOne), kWide));
  checkGolden("explain-1.json", explainJson(explainedText(kOne)));
  checkGolden("explain-many-80.txt", explainText(explainedText(kMany), kNarrow));
  checkGolden("explain-many-200.txt", explainText(explainedText(kMany), kWide));
  checkGolden("explain-many.json", explainJson(explainedText(kMany)));
  checkWidth(explainText(explainedText(kMany), kNarrow), 80);
  const std::string foreign =
      R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "ipam": {"type": "dhcp", "x": 1}})";
  checkGolden("explain-dhcp-80.txt", explainText(explainedText(foreign), kNarrow));
}

TEST_CASE("pons explain tells line and column of what cannot work") {
  CHECK(mistakeIn("{\n  \"name\": \"demo\",\n  \"type\" \"pons\"}") ==
        "demo.conflist:3:10: invalid JSON at line 3, column 10: Missing a colon after a name of object member.");
  CHECK(mistakeIn("{\"name\": \"demo\"}") ==
        "demo.conflist:1:1: neither \"type\", as a configuration has, nor \"plugins\", as a list has");
  CHECK(mistakeIn("{\"plugins\": 5}") == "demo.conflist:1:13: \"plugins\" is no list of plugins");
  CHECK(mistakeIn("{\"plugins\": [{\"type\": \"pons\"},\n {\"x\": 1}]}") ==
        "demo.conflist:2:2: \"plugins[1].type\" is missing");
  CHECK(mistakeIn("{\"plugins\": [\n {\"type\": \"pons\"}]}") == "demo.conflist:2:2: missing network name");
  const std::string head =
      "{\"cniVersion\": \"1.0.0\", \"name\": \"demo\", \"plugins\": [\n  {\"type\": \"pons\",\n   ";
  CHECK(mistakeIn(head + "\"ipMasq\": 7}]}") == "demo.conflist:3:14: invalid \"ipMasq\": 7, expected true or false");
  CHECK(mistakeIn(head + "\"IPAM\": {\"ranges\": [[{\"subnet\": \"10.0.0.1/24\"}]]}}]}") ==
        "demo.conflist:3:25: \"ipam.ranges[0][0]\": subnet 10.0.0.1/24 has host bits set; did you mean 10.0.0.0/24?");
  CHECK(mistakeIn(head + "\"ipam\": {\"ranges\": [[{}]]}}]}") ==
        "demo.conflist:3:25: \"ipam.ranges[0][0].subnet\" is missing");
  CHECK(mistakeIn(head + "\"vlan\": 5}]}").starts_with("demo.conflist:3:12: unsupported \"vlan\": 5"));
  CHECK(mistakeIn("{\"cniVersion\": \"9.0.0\",\n \"name\": \"demo\", \"type\": \"pons\"}") ==
        "demo.conflist:1:16: incompatible CNI versions");
}

TEST_CASE(
    "pons explain says of each key of an egress policy what it lets through, and of an empty one that it denies all") {
  const auto effects = [](const std::string& policy) {
    const Explained whole =
        explainedText(pons::test::config(R"("ipam": {"subnet": "10.42.0.0/24"}, "egressPolicy": )" + policy));
    REQUIRE(whole.works());
    std::vector<std::string> told;
    for (const KeyMeaning& key : whole.plugins.at(0).keys) {
      if (key.key.starts_with("egressPolicy")) told.push_back(key.key + ": " + key.effect);
    }
    return told;
  };
  CHECK(effects("{}") == std::vector<std::string>{"egressPolicy: the container may begin nothing: all that it sends is "
                                                  "dropped and counted, but answers"});
  CHECK(effects(
            R"({"allowedCidrs": ["192.0.2.0/24"], "allowedTcpPorts": [443], "allowDns": false, "logDenied": true})") ==
        std::vector<std::string>{
            "egressPolicy.allowedCidrs: what the container may begin to talk to; all else is dropped and counted",
            "egressPolicy.allowedTcpPorts: of those only these TCP ports, and no UDP but what allowedUdpPorts has",
            "egressPolicy.allowDns: DNS is let through only where allowedCidrs and ports let it",
            "egressPolicy.logDenied: five of the drops a minute are written to the kernel's log"});
}

TEST_CASE("Every key that pons asks a configuration for is written about") {
  const pons::cni::KeysAsked asked;
  for (const char* ipam : {R"("subnet": "10.42.0.0/24")", R"("type": "host-local", "subnet": "10.42.0.0/24")",
                           R"("type": "static", "addresses": [{"address": "10.42.0.7/24"}])"}) {
    REQUIRE(pons::test::add(pons::test::config("\"ipam\": {" + std::string{ipam} + "}")).ok());
  }
  std::size_t written = 0;
  for (const std::string& key : asked.all()) {
    // What runtimes say has other names in the words' table; what is in lists and small objects goes with them.
    const bool isRuntimes =
        key.starts_with("runtimeconfig.") || key.starts_with("args.") || key.starts_with("prevresult");
    const bool isOfNetwork = key == "name" || key == "cniversion";
    const bool isInside =
        key.find('[') != std::string::npos || key.starts_with("bandwidth.") || key.starts_with("ipam.dns.");
    if (isRuntimes || isOfNetwork || isInside) continue;
    CHECK_MESSAGE(!effectOf(pons::cni::Applet::Pons, key, false).empty(), key);
    ++written;
  }
  CHECK(written > 40);
}

TEST_CASE("pons explain of each example in the tree, and its exit codes") {
  for (const auto& file : std::filesystem::directory_iterator{std::string{PONS_SOURCE_DIR} + "/conf-examples"}) {
    CAPTURE(file.path().string());
    const Outcome explained = tool({"explain", file.path()});
    CHECK_MESSAGE(explained.ok(), explained.out);
    CHECK(!contains(explained.out, "is ignored"));
    CHECK(contains(explained.out, "What ADD would bring about"));
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
  CHECK(missing.err == "pons explain: cannot open /run/missing.conf: No such file or directory\n");
  CHECK(tool({"explain"}).exitCode == 2);
  const Outcome coloured = tool({"explain", "/run/\x1b[31mred.conf"});
  CHECK(contains(coloured.err, "/run/\\x1b[31mred.conf"));
  // Recursion would not stand it.
  std::ofstream{"/run/deep.conf"} << "{\"a\": " << std::string(200'000, '[');
  const Outcome deep = tool({"explain", "/run/deep.conf"});
  CHECK(deep.exitCode == 1);
  CHECK(contains(deep.out, "nested deeper"));
}
