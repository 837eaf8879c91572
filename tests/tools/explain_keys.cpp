// ponsctl explain KEY and NETWORK: the key table, and how a file is found.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/scratch.h"
#include "tests/tools/tool_run.h"

using namespace support;

namespace {

const std::string kOne =
    R"({"cniVersion": "1.0.0", "name": "demo", "type": "pons", "ipam": {"subnet": "10.42.0.0/24"}})";

}  // namespace

TEST_CASE("ponsctl explain without a file, or with a key, prints the key table") {
  const auto all = jsonOf(tool({"explain", "--json"}));
  std::size_t keys = 0;
  for (const auto& section : all["sections"].items()) {
    CHECK(section["title"].string().has_value());
    for (const auto& key : section["keys"].items()) {
      CAPTURE(key.text());
      CHECK(!key["effect"].string().value_or("").empty());
      CHECK(!key["types"].items().empty());
      CHECK(key["since"].string() == "0.1.0");
      ++keys;
    }
  }
  CHECK(keys > 100);
  const auto some = jsonOf(tool({"explain", "--json", "ipam.ranges"}));
  REQUIRE(some["sections"].items().size() == 1);
  const auto ranges = some["sections"].items().front()["keys"].items();
  REQUIRE(ranges.size() == 5);
  CHECK(ranges.front()["capability"].string() == "ipRanges");
  const Outcome subnet = tool({"explain", "ipam.subnet"});
  CHECK(subnet.ok());
  CHECK(contains(subnet.out, "The first range set"));
  CHECK(!contains(subnet.out, "ipam.rangeStart"));
  CHECK(tool({"explain", "ipam.sub"}).exitCode == 1);
  CHECK(tool({"explain", "IPAM.Subnet"}).out == subnet.out);
  const Outcome mistyped = tool({"explain", "ipam.subnett"});
  CHECK(mistyped.exitCode == 1);
  CHECK(mistyped.err ==
        "ponsctl explain: unknown key, file or network \"ipam.subnett\": did you mean \"ipam.subnet\"?\n");
}

TEST_CASE("ponsctl explain KEY prints all that the table has of it") {
  const auto document = jsonOf(tool({"explain", "--json"}));
  for (const std::string name : {"mtu", "hairpinMode", "ipam.subnet", "portMappings", "stateDir",
                                 "externalSetMarkChain", "runtimeConfig.mac", "lockTimeout"}) {
    CAPTURE(name);
    const Outcome shown = tool({"explain", name});
    CHECK(shown.ok());
    CHECK_MESSAGE(shown.out.starts_with("key"), shown.out);
    std::size_t found = 0;
    for (const auto& section : document["sections"].items()) {
      for (const auto& key : section["keys"].items()) {
        if (textOf(key["key"]) != name) continue;
        ++found;
        for (const char* member :
             {"effect", "effectIfFalse", "details", "kind", "values", "default", "capability", "reason", "since"}) {
          const std::string text = textOf(key[member]);
          // The first letter of a sentence is a capital one.
          CHECK_MESSAGE(contains(shown.out, text.substr(std::min(text.size(), std::size_t{1}))), member << shown.out);
        }
      }
    }
    CHECK(found > 0);
    checkWidth(tool({"explain", name}, {"COLUMNS=80"}).out, 80);
  }
  CHECK(contains(tool({"explain", "hairpinMode"}).out, "if false  A container cannot reach"));
  CHECK(contains(tool({"explain", "runtimeConfig.mac"}).out, "not declared"));
}

TEST_CASE("ponsctl explain: a key precedes a file of its name, which a slash or an ending names") {
  const Scratch directory;
  std::filesystem::create_directory(directory / "dns");
  for (const char* name : {"bridge", "ipam.conf", "network"}) std::ofstream{directory / name} << kOne;
  const auto explain = [&](const std::string& subject) {
    return run({"bash", "-c", "cd " + directory.path() + " && " PONSCTL_BINARY " explain " + subject});
  };
  for (const char* key : {"bridge", "dns"}) CHECK(explain(key).out == tool({"explain", key}).out);
  for (const char* file : {"./bridge", "ipam.conf", "network", "./network"}) {
    CAPTURE(file);
    const Outcome read = explain(file);
    CHECK_MESSAGE(read.ok(), read.err);
    CHECK(contains(read.out, "What ADD would do"));
  }
}

TEST_CASE("ponsctl explain NETWORK reads the file that runtimes read for that name") {
  const Scratch directory;
  const auto write = [&](const std::string& file, const std::string& name) {
    std::ofstream{directory / file} << R"({"cniVersion": "1.0.0", "name": ")" + name + R"(", "type": "pons"})";
  };
  write("2.conflist", "demo");
  write("1.conf", "demo");
  write("3.json", "web");
  std::ofstream{directory / "0.conf"} << "{";
  const auto explain = [&](const std::string& name) {
    return tool({"explain", name, "--config-dir", directory.path()});
  };
  const Outcome demo = explain("demo");
  CHECK(demo.ok());
  CHECK_MESSAGE(demo.out.starts_with(directory / "1.conf: valid\n"), demo.out);
  const Outcome unknown = explain("demmo");
  CHECK(unknown.exitCode == 1);
  CHECK(unknown.err == "ponsctl explain: unknown key, file or network \"demmo\": did you mean \"demo\"?\n");
}
