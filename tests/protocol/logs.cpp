// The lines of the log: what they say, and what its settings do.
#include <algorithm>
#include <filesystem>
#include <regex>

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "tests/protocol/plugin_run.h"
#include "tests/support/cni_input.h"
#include "tests/support/log_lines.h"
#include "tests/support/text.h"

using namespace support;
using pons::cni::ErrorCode;
using pons::test::configWithIpam;

namespace {

/// The line has these values, and those that differ with each call in their form.
void checkLine(LogLine line, const LogLine& expected) {
  const LogLine whole = line;
  const LogLine forms{{"time", R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d)"},
                      {"ms", R"(\d+(\.\d{1,3})?)"},  // JSON numbers are read without their last zeros
                      {"pid", R"(\d+)"},
                      {"link", R"(pons\w+)"}};
  for (const auto& [name, form] : forms) {
    if (line.contains(name)) CHECK_MESSAGE(std::regex_match(line.extract(name).mapped(), std::regex{form}), name);
  }
  CHECK(line == expected);
  for (const char* name : {"time", "ms", "pid"}) CHECK(whole.contains(name));
}

LogLine lineOf(const std::string& verb, const LogLine& members) {
  LogLine line{{"verb", verb}, {"container", "c1"}, {"ifname", "eth0"}, {"netns", "/run/netns/c1"}};
  line.insert(members.begin(), members.end());
  return line;
}

std::vector<std::string> eventsIn(const std::string& log) {
  std::vector<std::string> events;
  for (const LogLine& line : logLines(log)) events.push_back(line.at("event"));
  return events;
}

}  // namespace

TEST_CASE("The log file gets a line for each verb, in the configured format, and stderr none") {
  for (const std::string format : {"logfmt", "json"}) {
    CAPTURE(format);
    REQUIRE_FAKE_HOST(host);
    host.addNamespace("c1");
    const std::string network =
        configWithIpam(R"("logFile": "/run/pons.log", "logLevel": "info", "logFormat": ")" + format + "\"");
    const Outcome attached = add(network);
    const std::string address = addressIn(resultOf(attached)) + "/24";
    CHECK(attached.err.empty());
    checkError(add(network), ErrorCode::AlreadyAttached);
    checkSilent(del(network));
    const auto lines = logLines(contentOf("/run/pons.log"), format == "json" ? jsonLine : logfmtLine);
    REQUIRE(lines.size() == 3);
    const auto done = [](const std::string& verb) {
      return lineOf(verb, {{"level", "info"}, {"event", "done"}, {"msg", verb + " done"}, {"network", "demo"}});
    };
    LogLine expected = done("ADD");
    expected["addresses"] = address;
    checkLine(lines[0], expected);
    CHECK(lines[0].contains("link"));
    LogLine failed = lines[1];
    CHECK(contains(failed.extract("msg").mapped(), "container c1 is already attached"));
    checkLine(failed, lineOf("ADD", {{"level", "error"}, {"event", "failed"}, {"network", "demo"}, {"code", "100"}}));
    checkLine(lines[2], done("DEL"));
  }
}

TEST_CASE("The lines of a container have its pod, each its own") {
  REQUIRE_FAKE_HOST(host);
  const std::string network = configWithIpam(R"("logLevel": "info")");
  for (const std::string pod : {"web-0", "web-1", ""}) {
    CAPTURE(pod);
    Subject subject{.container = "c" + pod, .netns = "/run/netns/c" + pod};
    if (!pod.empty()) subject.args = "IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=" + pod;
    host.addNamespace(subject.container);
    const Outcome attached = add(network, subject);
    resultOf(attached);
    for (const std::string& log : {attached.err, add(network, subject).err, del(network, subject).err}) {
      const std::vector<LogLine> lines = logLines(log);
      CHECK(lines.size() == 1);
      for (const LogLine& line : lines) {
        CHECK(line.at("container") == subject.container);
        CHECK(line.contains("pod") == !pod.empty());
        if (!pod.empty()) CHECK(line.at("pod") == "shop/" + pod);
      }
    }
  }
}

TEST_CASE("The log line of a failed ADD has the attachment, the failure, and the result of the rollback") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  outputOf({"ip", "-n", "c1", "link", "add", "eth0", "type", "bridge"});
  const Outcome failed =
      add(configWithIpam(R"("runtimeConfig": {"portMappings": [{"hostPort": 8080, "containerPort": 80}]})"),
          {.more = {"PONS_LOG=info"}});
  CHECK(failed.exitCode == 1);
  CHECK(eventsIn(failed.err) == std::vector<std::string>{"rollback", "failed"});
  LogLine line = logLines(failed.err).at(1);
  CHECK(contains(line.extract("msg").mapped(), "already has an interface eth0"));
  CHECK(line.extract("addresses").mapped().ends_with("/24"));
  checkLine(
      line,
      lineOf("ADD",
             {{"level", "error"}, {"event", "failed"}, {"network", "demo"}, {"ports", "tcp/8080>80"}, {"code", "7"}}));
}

TEST_CASE("A request that cannot be read is logged, too, on one line") {
  REQUIRE_FAKE_HOST(host);
  const Outcome failed = add(configWithIpam(R"("bridge": "a\nb")"));
  CHECK(failed.exitCode == 1);
  const std::vector<LogLine> lines = logLines(failed.err);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].at("level") == "error");
  CHECK(lines[0].at("code") == "7");
}

TEST_CASE("At the default level a successful call writes no line, and does not make the log file") {
  REQUIRE_FAKE_HOST(host);
  for (const std::string container : {"c1", "c2"}) {
    host.addNamespace(container);
    const Subject subject{.container = container, .netns = "/run/netns/" + container};
    const std::string network = configWithIpam(R"("logFile": "/run/pons.log")");
    const Outcome attached = add(network, subject);
    resultOf(attached);
    CHECK(attached.err.empty());
    CHECK(del(network, subject).err.empty());
  }
  CHECK_FALSE(std::filesystem::exists("/run/pons.log"));
}

TEST_CASE("At level debug the configuration and each step has its line") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = configWithIpam("");
  for (const std::string variable : {"PONS_LOG=debug", "PONS_LOG=JSON,Debug"}) {
    const Outcome attached = add(network, {.more = {variable}});
    resultOf(attached);
    const auto lines = logLines(attached.err, contains(variable, "JSON") ? jsonLine : logfmtLine);
    const auto has = [&](const std::string& event, const std::string& message) {
      return std::ranges::any_of(
          lines, [&](const LogLine& line) { return line.at("event") == event && line.at("msg") == message; });
    };
    CHECK(has("request", network));
    CHECK(has("step", "bridge pons0"));
    CHECK(has("done", "ADD done"));
    checkSilent(del(network));
  }
}

TEST_CASE("PONS_LOG goes before the configuration: level, place or both") {
  REQUIRE_FAKE_HOST(host);
  host.addNamespace("c1");
  const std::string network = configWithIpam(R"("logFile": "/run/one.log", "logLevel": "info")");
  const auto logs = [&](const std::string& value) {
    std::filesystem::remove("/run/one.log");
    std::filesystem::remove("/run/two.log");
    resultOf(add(network, {.more = {"PONS_LOG=" + value}}));
    checkSilent(del(configWithIpam(R"("logLevel": "off")")));
    return std::pair{std::filesystem::exists("/run/one.log"), std::filesystem::exists("/run/two.log")};
  };
  CHECK(logs("") == std::pair{true, false});
  CHECK(logs("error") == std::pair{false, false});
  CHECK(logs(":/run/two.log") == std::pair{false, true});
  CHECK(logs("debug:/run/two.log") == std::pair{false, true});
  CHECK(logs("debug,json:/run/two.log") == std::pair{false, true});
  for (const char* wrong : {"loud", "loud:/run/two.log", "debug:two.log"}) {
    CAPTURE(wrong);
    CHECK(logs(wrong) == std::pair{!contains(wrong, "/run/two.log"), contains(wrong, "/run/two.log")});
  }
}

TEST_CASE("No setting of the log fails a call: a warning names what is wrong") {
  REQUIRE_FAKE_HOST(host);
  for (const char* container : {"c1", "c2"}) host.addNamespace(container);
  std::filesystem::create_directory("/run/directory");
  REQUIRE(mkfifo("/run/fifo", 0600) == 0);  // opening it would block until somebody reads
  const auto place = [](const std::string& path) { return R"("logLevel": "info", "logFile": ")" + path + "\""; };
  const std::vector<std::array<std::string, 4>> all{
      {"PONS_LOG=", R"("logLevel": "loud")", "ignored", "\"logLevel\": \"loud\""},
      {"PONS_LOG=", R"("logLevel": 7)", "ignored", "\"logLevel\": 7"},
      {"PONS_LOG=", R"("logFormat": "xml")", "ignored", "\"logFormat\": \"xml\""},
      {"PONS_LOG=", R"("logFile": "pons.log")", "ignored", "\"logFile\": \"pons.log\""},
      {"PONS_LOG=loud", "", "ignored", "PONS_LOG=loud"},
      {"PONS_LOG=info:pons.log", "", "ignored", "PONS_LOG=info:pons.log"},
      {"PONS_LOG=:/run/../x", "", "ignored", "PONS_LOG=:/run/../x"},
      {"PONS_LOG=", place("/run/missing/pons.log"), "log-target", "/run/missing/pons.log: No such file or directory"},
      {"PONS_LOG=", place("/run/directory"), "log-target", "/run/directory: Is a directory"},
      {"PONS_LOG=", place("/run/fifo"), "log-target", "/run/fifo: No such device or address"},
      {"PONS_LOG=info:/run/missing/x", "", "log-target", "/run/missing/x: No such file or directory"},
      {"PONS_LOG=", place("journal"), "log-target", "journald"},
  };
  for (const auto& [variable, member, event, words] : all) {
    for (const std::string container : {"c1", "c2"}) {
      CAPTURE(variable);
      CAPTURE(member);
      const Subject subject{.container = container, .netns = "/run/netns/" + container, .more = {variable}};
      const std::string network = configWithIpam(member);
      const Outcome attached = add(network, subject);
      resultOf(attached);
      const std::vector<LogLine> lines = logLines(attached.err);
      CHECK(std::ranges::count(eventsIn(attached.err), event) == 1);
      const LogLine& first = lines.at(0);
      CHECK(first.at("event") == event);
      CHECK(first.at("level") == "warning");
      if (event == "ignored") CHECK(first.at("network") == "demo");
      CHECK_MESSAGE(contains(first.at("msg"), words), first.at("msg"));
      const bool isTalkative = contains(member, "info") || contains(variable, "info");
      CHECK(lines.size() == (isTalkative ? 2 : 1));
      if (isTalkative) CHECK(lines.back().at("event") == "done");
      for (const Outcome& done : {check(withPrevious(network, attached.out), subject), del(network, subject)}) {
        checkSilent(done);
        CHECK_MESSAGE(contains(messagesIn(done.err), words), done.err);
      }
    }
  }
  CHECK_FALSE(std::filesystem::exists("/run/missing"));
}
